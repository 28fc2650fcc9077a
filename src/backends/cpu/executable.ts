/**
 * Programs on the CPU: a plan over one block of memory, run by WebAssembly where there is SIMD.
 *
 * @module
 */
import { hasSimd } from "../../../kernels/wasm/features.ts";
import { listModule } from "../../../kernels/wasm/listing.ts";
import { formatBytes } from "../../describe.ts";
import { checkLabels } from "../../labels.ts";
import type { LookupOp } from "../../op.ts";
import { formatShape, MAX_BYTES } from "../../shape.ts";
import { fromData, isUntouched, LARGE_BYTES, type Tensor } from "../../tensor.ts";
import type { Executable } from "../../program/device.ts";
import { describeSource, type Measured, type Plan } from "../../program/explain.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { isAlias } from "../../program/alias.ts";
import type { GroupLoop } from "../../program/loops.ts";
import { fuseSteps, type Group, isGroup, lookupsOf, type Unit } from "../../program/passes/fuse.ts";
import { bytesOf, type MemoryPlan, planMemory, writesOf } from "../../program/plan.ts";
import { loopIn } from "../../program/row_blocks.ts";
import { planOf } from "./explain.ts";
import { Frame, turnsOf } from "./frame.ts";
import { type Kernel, Kernels } from "./kernels.ts";
import { loopCalls } from "./loop_calls.ts";
import { addLoops, loopsOf } from "./loop_kernels.ts";
import type { Memories } from "./memories.ts";
import { type Instruction, rowLoop } from "./row_loop.ts";
import { lookupKernel } from "./select.ts";
import { copyRows, type NamedRows, namedRows } from "./named_rows.ts";
import {
  type Calls,
  type Divided,
  type Places,
  type Positions,
  splitCalls,
  type StepKernel,
} from "./step_kernel.ts";
import { kernelOf } from "./step_kernels.ts";
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
  /** Whether steps run as WebAssembly, in loops where they can; else one by one, as they are. */
  readonly wasm: boolean;
  /** Values that several threads make together. */
  readonly shared: ValueId[] = [];
  readonly #team: Team | undefined;
  readonly #smallestShared: number;
  readonly #memories: Memories | undefined;
  readonly #kernels: Kernels | undefined;
  /** The loops of all groups, and the numbers of their kernels. */
  readonly #loops: ReadonlyMap<Group, GroupLoop>;
  readonly #numbers: ReadonlyMap<Group, number>;
  readonly #frame: Frame;
  readonly #jobs: Job[] = [];
  readonly #firstJob: number;
  readonly #instructions: readonly Instruction[];
  /** Those of all frames. */
  readonly #all: Instruction[] = [];
  /** The large arguments of the last call. */
  readonly #given: (WeakRef<Tensor> | undefined)[] = [];
  readonly #named: ReadonlyMap<ValueId, NamedRows>;
  /** What kernels are for. */
  readonly #made: { kernel: number; unit: Unit; graph: Graph }[] = [];

  constructor(graph: Graph, options: CpuOptions = {}) {
    this.graph = graph;
    const wasm = options.wasm ?? hasSimd();
    this.wasm = wasm;
    this.#team = wasm ? options.team : undefined;
    this.#smallestShared = options.smallestShared ?? SMALLEST_SHARED_NS;
    this.#memories = options.memories;
    const isShared = this.#team !== undefined;
    const fusing = { passes: true, shared: isShared };
    this.memory = planMemory(graph, (body) => wasm ? fuseSteps(body, fusing) : body.steps);
    this.units = this.memory.units;
    this.#loops = loopsOf(this.memory);
    const calls = [...this.#loops.values()].map(loopCalls);
    const scratch = calls.reduce(
      (most, own) => Math.max(most, own.scratchBytes),
      scratchBytes(graph),
    );
    this.bytes = this.memory.bytes + (this.#team?.size ?? 1) * scratch;
    const kernels = () => new Kernels(this.bytes, isShared, options.memories);
    if (wasm) this.#kernels = holding(this, kernels);
    this.#numbers = this.#kernels ? addLoops(this.#kernels, this.#loops) : new Map();
    const buffer = this.#kernels?.memory.buffer ??
      holding(this, () => new ArrayBuffer(this.bytes));
    this.#frame = new Frame(this.memory, buffer, 0);
    this.#named = namedRows(graph);
    for (const [id, constant] of graph.constants) this.#frame.write(id, constant.data);
    this.#instructions = this.#instruct(this.#frame);
    this.#firstJob = this.#kernels && this.#team?.load(this.#kernels, this.#jobs) || 0;
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
    return planOf(this, this.#team?.size ?? 1);
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
    const { modules = [] } = this.#kernels ?? {};
    return modules.map(({ bytes, first }, i) => {
      const end = modules[i + 1]?.first ?? Infinity;
      const made = this.#made.filter(({ kernel }) => kernel >= first && kernel < end);
      return describeSource(listModule(bytes), ";;", made);
    });
  }

  /** Has the threads forget it, and gives its memory to those to come: it must not run again. */
  dispose(): void {
    if (this.#kernels !== undefined) this.#memories?.give(this.#kernels.memory);
    if (this.#jobs.length > 0) this.#team?.unload(this.#firstJob);
  }

  #instruct(frame: Frame): Instruction[] {
    const instructions = frame.plan.units.flatMap((unit): Instruction[] => {
      const [run, ...others] = isGroup(unit)
        ? [
          ...lookupsOf(unit).flatMap((step) => checkLookup(step, frame)),
          this.#loop(unit, frame),
        ]
        : this.#step(unit, frame);
      if (run === undefined) return [];
      if (others.length === 0) return [{ unit, run }];
      const all = [run, ...others];
      return [{ unit, run: () => all.forEach((own) => own()) }];
    });
    this.#all.push(...instructions);
    return instructions;
  }

  /** What is done for a step, one after the other. */
  #step(step: Step, frame: Frame): (() => void)[] {
    const { graph } = frame.plan;
    const { op, inputs, params, output } = step;
    if (op.kind === "loop") return [this.#rowLoop(step, frame)];
    const sparse = frame === this.#frame && this.#named.has(output);
    const kernel = this.#kernels && !isAlias(step, graph)
      ? kernelOf(step, graph, sparse)
      : undefined;
    if (kernel !== undefined) return this.#kernel(step, kernel, frame);
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

  /** A loop as WebAssembly; the calls of many blocks are made anew each time. */
  #loop(group: Group, frame: Frame): () => void {
    const { space } = this.#loops.get(group)!;
    const calls = loopCalls(this.#loops.get(group)!);
    const anew = (run: Kernel, places: Places) => {
      const walk = calls.walk(places);
      return () => walk([0, calls.slices], (numbers) => run(...numbers));
    };
    const alone = space.outer.length > 0 ? anew : undefined;
    return this.#launch(this.#numbers.get(group)!, group, frame, calls, alone);
  }

  /** A step that is a function of its own, as WebAssembly, after a check of what it must not read. */
  #kernel(step: Step, kernel: StepKernel, frame: Frame): (() => void)[] {
    const { verified, positions } = kernel;
    const values = verified?.ids.map((id) => frame.view(id)) ?? [];
    return [
      ...verified ? [() => verified.verify(...values)] : [],
      ...positions ? [checkPositions(positions, frame)] : [],
      this.#launch(this.#kernels!.numberOf(kernel), step, frame, kernel),
    ];
  }

  /** What a kernel does for a unit: in parts by all threads, or else alone. */
  #launch(
    kernel: number,
    unit: Unit,
    { offsets, plan: { graph } }: Frame,
    work: Divided,
    alone?: (run: Kernel, places: Places) => () => void,
  ): () => void {
    this.#made.push({ kernel, unit, graph });
    const run = this.#kernels!.get(kernel);
    const places = { offsets, scratch: this.memory.bytes };
    const parts = this.#team && splitCalls(work, places, this.#team.size, this.#smallestShared);
    if (parts === undefined) {
      return alone?.(run, places) ?? runAll(run, work.calls([0, work.slices], places));
    }
    this.shared.push(...writesOf(unit));
    const job = this.#jobs.push({ kernel, parts }) - 1;
    const own = (part: number) => parts[part]!.forEach((numbers) => run(...numbers));
    return () => this.#team!.run(this.#firstJob + job, own);
  }
}

/** Refuses positions outside of their axis. */
function checkPositions({ id, extent, caller }: Positions, frame: Frame): () => void {
  const positions = frame.view(id);
  return () => void checkLabels(caller, positions, extent, { argument: "indices" });
}

/** The same of slices that loops read where they are; nothing where nothing can be wrong. */
function checkLookup(step: Step, frame: Frame): (() => void)[] {
  const { graph } = frame.plan;
  const positions = lookupKernel(step, step.op as LookupOp<unknown>, graph)?.positions;
  return positions ? [checkPositions(positions, frame)] : [];
}

/** What `make` gives, the memory of a program; a `RangeError` that shows what is large if it is none. */
function holding<T>({ bytes, graph, memory }: CpuExecutable, make: () => T): T {
  let cause: unknown;
  try {
    if (bytes <= MAX_BYTES) return make();
  } catch (error) {
    cause = error;
  }
  const placed = [...memory.offsets.keys()];
  const largest = placed.reduce(
    (a, b) => bytesOf(graph, b) > bytesOf(graph, a) ? b : a,
    placed[0]!,
  );
  const { shape, dtype } = graph.values[largest]!;
  const maker = graph.steps.find((step) => step.output === largest)?.op.name ?? "an argument";
  throw new RangeError(
    `Cannot compile the program as its values take ${formatBytes(bytes)} at once, ` +
      (cause === undefined
        ? `and its memory holds at most ${formatBytes(MAX_BYTES)}`
        : `and there is not as much memory left`) +
      `: the largest is the result of ${maker}, ${dtype} ${formatShape(shape)}, ` +
      formatBytes(bytesOf(graph, largest)),
    { cause },
  );
}

function runAll(run: Kernel, calls: Calls): () => void {
  const [first, ...others] = calls;
  if (first !== undefined && others.length === 0) return () => run(...first);
  return () => {
    for (const numbers of calls) run(...numbers);
  };
}

/** Bytes that a thread may need in between for any step of a graph, or of a loop's body in it. */
function scratchBytes(graph: Graph): number {
  return graph.steps.reduce((most, step) => {
    const bodies = loopIn(step)?.runs.map(({ body }) => scratchBytes(body)) ?? [];
    return Math.max(most, kernelOf(step, graph)?.scratchBytes ?? 0, ...bodies);
  }, 0);
}
