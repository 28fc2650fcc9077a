/**
 * Programs on the CPU: a plan over one block of memory, run by WebAssembly where there is SIMD.
 *
 * @module
 */
import { hasSimd } from "../../../kernels/wasm/features.ts";
import { listModule } from "../../../kernels/wasm/listing.ts";
import { formatBytes } from "../../describe.ts";
import { BYTES } from "../../dtype.ts";
import { formatShape, MAX_BYTES, sizeOf } from "../../shape.ts";
import { fromData, isUntouched, LARGE_BYTES, type Tensor } from "../../tensor.ts";
import type { Executable } from "../../program/device.ts";
import {
  describeHost,
  describeSource,
  type Measured,
  type Plan,
  type PlannedUnit,
} from "../../program/explain.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { isAlias } from "../../program/alias.ts";
import { fuseSteps, isGroup, type Unit } from "../../program/passes/fuse.ts";
import { bytesOf, type MemoryPlan, planMemory, writesOf } from "../../program/plan.ts";
import { loopIn } from "../../program/row_blocks.ts";
import { Frame, turnsOf } from "./frame.ts";
import { type Kernel, Kernels, type Memories } from "./kernels.ts";
import { addLoops } from "./loop_kernels.ts";
import { type Instruction, rowLoop } from "./row_loop.ts";
import { copyRows, type NamedRows, namedRows } from "./named_rows.ts";
import { type Calls, splitCalls, type StepKernel } from "./step_kernel.ts";
import { kernelsOf } from "./step_kernels.ts";
import type { Job, Team } from "./threads.ts";

/** Work that takes less than this, by a rough estimate, is done by one thread. */
const SMALLEST_SHARED_NS = 40_000;

/** Options of {@linkcode CpuExecutable}. */
export interface CpuOptions {
  /** Whether to use WebAssembly; by default where it has SIMD. */
  wasm?: boolean | undefined;
  /** Threads that share the larger steps; by default the calling one does all. */
  team?: Team | undefined;
  /** Where memory comes from, and goes to in the end; by default from the engine. */
  memories?: Memories | undefined;
  /** The least work worth sharing, in nanoseconds by a rough estimate. */
  smallestShared?: number | undefined;
}

/** A graph that can be run, again and again, in memory of its own. */
export class CpuExecutable implements Executable {
  readonly graph: Graph;
  /** What is done, in order. */
  readonly units: readonly Unit[];
  /** Where values lie. */
  readonly memory: MemoryPlan;
  /** How many bytes there are in all: values, and what kernels may write in between. */
  readonly bytes: number;
  /** What runs as WebAssembly, in loops where it can; the host does the others one by one. */
  readonly kernels: ReadonlyMap<Unit, StepKernel>;
  /** Values that several threads make together. */
  readonly shared: ValueId[] = [];
  readonly #team: Team | undefined;
  readonly #smallestShared: number;
  readonly #memories: Memories | undefined;
  readonly #functions: Kernels | undefined;
  readonly #frame: Frame;
  readonly #jobs: Job[] = [];
  readonly #firstJob: number;
  readonly #instructions: readonly Instruction[];
  /** Those of all frames. */
  readonly #all: Instruction[] = [];
  /** The large arguments of the last call. */
  readonly #given: (WeakRef<Tensor> | undefined)[] = [];
  /** Results of which only some rows are written. */
  readonly #named: ReadonlyMap<ValueId, NamedRows>;
  /** What kernels are for. */
  readonly #made: { kernel: Kernel; unit: Unit; graph: Graph }[] = [];

  constructor(graph: Graph, options: CpuOptions = {}) {
    this.graph = graph;
    const wasm = options.wasm ?? hasSimd();
    this.#team = wasm ? options.team : undefined;
    this.#smallestShared = options.smallestShared ?? SMALLEST_SHARED_NS;
    this.#memories = options.memories;
    const isShared = this.#team !== undefined;
    const fusing = { passes: true, shared: isShared };
    this.memory = planMemory(graph, (body) => wasm ? fuseSteps(body, fusing) : body.steps);
    this.units = this.memory.units;
    this.#named = namedRows(graph);
    this.kernels = wasm ? kernelsOf(this.memory, this.#named) : new Map();
    const kernels = [...this.kernels.values()];
    const scratch = kernels.reduce((most, own) => Math.max(most, own.scratchBytes), 0);
    this.bytes = this.memory.bytes + (this.#team?.size ?? 1) * scratch;
    const functions = () => new Kernels(this.bytes, isShared, options.memories);
    if (wasm) this.#functions = holding(this, functions);
    if (this.#functions) addLoops(this.#functions, kernels);
    const buffer = this.#functions?.memory.buffer ??
      holding(this, () => new ArrayBuffer(this.bytes));
    this.#frame = new Frame(this.memory, buffer, 0);
    for (const [id, constant] of graph.constants) this.#frame.write(id, constant.data);
    this.#instructions = this.#instruct(this.#frame);
    this.#firstJob = this.#functions && this.#team?.load(this.#functions.memory, this.#jobs) || 0;
  }

  /** The outputs for these inputs. */
  run(inputs: readonly Tensor[]): Tensor[] {
    this.graph.inputs.forEach((id, i) => this.#write(id, i, inputs[i]!));
    for (const instruction of this.#instructions) instruction.run();
    return this.graph.outputs.map((id) => {
      const value = this.#frame.view(id);
      const named = this.#named.get(id);
      const data = named
        ? copyRows(value, this.#frame.view(named.positions), named)
        : value.data.slice();
      return fromData(data, value.shape, value.dtype);
    });
  }

  /** Copies an argument to its place, where nothing else comes; one that is there stays. */
  #write(id: ValueId, i: number, x: Tensor): void {
    if (this.#given[i]?.deref() === x && isUntouched(x)) return;
    const data = ArrayBuffer.isView(x.source) ? x.source : x.data;
    if (data.byteLength < LARGE_BYTES) return this.#frame.write(id, data);
    this.#given[i] = undefined;
    this.#frame.write(id, data);
    this.#given[i] = new WeakRef(x);
  }

  plan(): Plan {
    const { graph, shared, memory } = this;
    const threads = this.#team?.size ?? 1;
    const list = shared.map((id) => `%${id}`).join(", ");
    const done = list === "" ? "no step is large enough to be shared" : `sharing ${list}`;
    const used = `${formatBytes(this.bytes)}, without sharing ${formatBytes(memory.unsharedBytes)}`;
    return {
      title: "program on cpu",
      graph,
      units: plannedUnits(memory, this.kernels),
      bytesOf: ({ shape, dtype }) => sizeOf(shape) * BYTES[dtype],
      notes: [`memory: ${used}`, ...threads > 1 ? [`threads: ${threads}, ${done}`] : []],
    };
  }

  measure(inputs: readonly Tensor[]): Measured {
    const times = new Map<Unit, number>();
    const plain = this.#all.map(({ run }) => run);
    this.#all.forEach((instruction, i) =>
      instruction.run = () => {
        const start = performance.now();
        plain[i]!();
        const { unit } = instruction;
        times.set(unit, (times.get(unit) ?? 0) + performance.now() - start);
      }
    );
    try {
      const start = performance.now();
      this.run(inputs);
      return { milliseconds: performance.now() - start, times };
    } finally {
      this.#all.forEach((instruction, i) => instruction.run = plain[i]!);
    }
  }

  sources(): string[] {
    const { modules = [] } = this.#functions ?? {};
    return modules.map(({ bytes, module }) => {
      const made = this.#made.filter(({ kernel }) => kernel.module === module);
      return describeSource(listModule(bytes), ";;", made);
    });
  }

  /** Has the threads forget it, and gives its memory to those to come: it must not run again. */
  dispose(): void {
    if (this.#functions !== undefined) this.#memories?.give(this.#functions.memory);
    if (this.#jobs.length > 0) this.#team?.unload(this.#firstJob);
  }

  #instruct(frame: Frame): Instruction[] {
    const instructions = frame.plan.units.flatMap((unit): Instruction[] => {
      const [run, ...others] = this.#work(unit, frame);
      if (run === undefined) return [];
      if (others.length === 0) return [{ unit, run }];
      const all = [run, ...others];
      return [{ unit, run: () => all.forEach((own) => own()) }];
    });
    this.#all.push(...instructions);
    return instructions;
  }

  /** What is done for a unit, one after the other: what a kernel must not read is refused first. */
  #work(unit: Unit, frame: Frame): (() => void)[] {
    const kernel = this.kernels.get(unit);
    if (kernel !== undefined) {
      const checks = kernel.verified?.map(({ ids, verify }) => {
        const values = ids.map((id) => frame.view(id));
        return () => verify(...values);
      });
      return [...checks ?? [], this.#launch(kernel, unit, frame)];
    }
    const { graph } = frame.plan;
    const step = unit as Step;
    const { op, inputs, params, output } = step;
    if (op.kind === "loop") return [this.#rowLoop(step, frame)];
    const given = inputs.map((id) => frame.view(id));
    const spec = graph.values[output]!;
    if (!isAlias(step, graph)) return [() => frame.write(output, op.forward(given, params, spec))];
    // A look at what is not allowed; else a value only has another shape or name.
    return op.kind === "check" ? [() => void op.forward(given, params, spec)] : [];
  }

  /** A body that is run for one block of rows after the other. */
  #rowLoop(step: Step, frame: Frame): () => void {
    const loop = loopIn(step)!;
    const { data } = frame.view(step.output);
    const given = step.inputs.map((id) => frame.offsets.get(id)!);
    const bodies = frame.plan.bodies.get(step)!.map((plan, i) => {
      const places = loop.runs[i]!.inputs.map(({ from }, k) =>
        [plan.graph.inputs[k]!, given[from]!] as const
      );
      return turnsOf(plan).map((own) => {
        const inner = new Frame(own, data.buffer, frame.start, new Map(places));
        return { frame: inner, instructions: this.#instruct(inner) };
      });
    });
    return rowLoop(loop, given, data, bodies);
  }

  /** What a kernel does for a unit: in parts by all threads, or else alone. */
  #launch(own: StepKernel, unit: Unit, { offsets, plan: { graph } }: Frame): () => void {
    const kernel = this.#functions!.get(own);
    this.#made.push({ kernel, unit, graph });
    const { run } = kernel;
    const places = { offsets, scratch: this.memory.bytes };
    const parts = this.#team && splitCalls(own, places, this.#team.size, this.#smallestShared);
    if (parts === undefined) {
      const walk = own.walk?.(places);
      return walk
        ? () => walk([0, own.slices], (numbers) => run(...numbers))
        : runAll(run, own.calls([0, own.slices], places));
    }
    this.shared.push(...writesOf(unit));
    const job = this.#jobs.push({ kernel, parts }) - 1;
    const work = (part: number) => parts[part]!.forEach((numbers) => run(...numbers));
    return () => this.#team!.run(this.#firstJob + job, work);
  }
}

/** What `make` gives, the memory of a program; a `RangeError` that shows what is large if it is none. */
function holding<T>({ bytes, graph, memory }: CpuExecutable, make: () => T): T {
  let cause: unknown;
  try {
    if (bytes <= MAX_BYTES) return make();
  } catch (error) {
    cause = error;
  }
  const size = (id: ValueId) => bytesOf(graph, id);
  const [largest] = [...memory.offsets.keys()].sort((a, b) => size(b) - size(a));
  const { shape, dtype } = graph.values[largest!]!;
  const maker = graph.steps.find((step) => step.output === largest)?.op.name ?? "an argument";
  throw new RangeError(
    `Cannot compile the program as its values take ${formatBytes(bytes)} at once, ` +
      (cause === undefined
        ? `and its memory holds at most ${formatBytes(MAX_BYTES)}`
        : `and there is not as much memory left`) +
      `: the largest is the result of ${maker}, ${dtype} ${formatShape(shape)}, ` +
      formatBytes(size(largest!)),
    { cause },
  );
}

function runAll(run: Kernel["run"], calls: Calls): () => void {
  const [first, ...others] = calls;
  if (first !== undefined && others.length === 0) return () => run(...first);
  return () => {
    for (const numbers of calls) run(...numbers);
  };
}

/** What is done in words, by kernels or by the host. */
function plannedUnits(
  { graph, units, bodies }: MemoryPlan,
  kernels: CpuExecutable["kernels"],
): PlannedUnit[] {
  return units.flatMap((unit): PlannedUnit[] => {
    if (isGroup(unit)) return [{ unit, how: `one loop over ${formatShape(unit.shape)}` }];
    if (isAlias(unit, graph) && unit.op.kind !== "check") return [];
    const planned = bodies.get(unit)?.map((body) => plannedUnits(body, kernels));
    if (planned !== undefined) return [{ unit, how: "", bodies: planned }];
    return [{ unit, how: kernels.has(unit) ? "kernel" : describeHost(unit) }];
  });
}
