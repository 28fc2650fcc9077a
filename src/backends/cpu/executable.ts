/**
 * Programs on the CPU: a plan over one block of memory, run by WebAssembly where there is SIMD.
 *
 * @module
 */
import { emitKernel } from "../../../kernels/matmul/emit.ts";
import { hasSimd } from "../../../kernels/wasm/features.ts";
import { listModule } from "../../../kernels/wasm/listing.ts";
import { ModuleBuilder } from "../../../kernels/wasm/module.ts";
import { formatBytes } from "../../describe.ts";
import { checkLabels } from "../../labels.ts";
import type { LookupOp, ProductOp } from "../../op.ts";
import { formatShape, MAX_BYTES } from "../../shape.ts";
import { fromData, type Tensor } from "../../tensor.ts";
import {
  type Calls,
  LoopCalls,
  ProductCalls,
  SCRATCH_BYTES,
  SMALLEST_SHARED_NS,
  temporaryBytes,
} from "./launch.ts";
import type { Executable } from "../../program/device.ts";
import { describeSource, type Measured, type Plan } from "../../program/explain.ts";
import { planOf } from "./explain.ts";
import { Frame, framesOf } from "./frame.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { type Kernel, Kernels } from "./kernels.ts";
import { LoopKernels } from "./loop_kernels.ts";
import type { Memories } from "./memories.ts";
import { isAlias } from "../../program/alias.ts";
import { type GroupLoop, keepingLoopOf } from "../../program/loops.ts";
import { fuseSteps, isGroup, type Unit } from "../../program/passes/fuse.ts";
import { bytesOf, type MemoryPlan, planMemory } from "../../program/plan.ts";
import { loopIn } from "../../program/row_blocks.ts";
import { rowLoop } from "./row_loop.ts";
import { lookupKernel } from "./select.ts";
import { type Positions, splitCalls, type StepKernel, wholeCalls } from "./step_kernel.ts";
import { kernelOf } from "./step_kernels.ts";
import type { Job, Team } from "./threads.ts";

type Instruction = () => void;

/** Smaller arguments are copied sooner than it is known that they are there. */
const LEAST_KEPT = 2 ** 14;

/** The instructions of a unit in a list: from the first to the one after the last. */
interface UnitInstructions {
  readonly unit: Unit;
  readonly list: Instruction[];
  readonly from: number;
  readonly to: number;
}

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
  readonly #known = new Map<string, number>();
  readonly #loops: LoopKernels | undefined;
  readonly #frame: Frame;
  readonly #jobs: Job[] = [];
  readonly #firstJob: number;
  readonly #instructions: readonly Instruction[];
  readonly #placed: UnitInstructions[] = [];
  /** The large arguments of the last call. */
  readonly #given: (WeakRef<Tensor> | undefined)[] = [];
  /** What kernels are for. */
  readonly #made: { kernel: number; unit: Unit; graph: Graph }[] = [];

  constructor(graph: Graph, options: CpuOptions = {}) {
    this.graph = graph;
    this.wasm = options.wasm ?? hasSimd();
    const { wasm } = this;
    this.#team = this.wasm ? options.team : undefined;
    const fusing = { passes: true, shared: this.#team !== undefined };
    const partition = (body: Graph) => wasm ? fuseSteps(body, fusing) : body.steps;
    this.units = partition(graph);
    this.#smallestShared = options.smallestShared ?? SMALLEST_SHARED_NS;
    const threads = this.#team?.size ?? 1;
    this.memory = planMemory(graph, this.units, partition);
    const scratch = Math.max(scratchBytes(graph), loopBytes(this.units, graph, this.memory));
    this.bytes = this.memory.bytes + threads * scratch;
    this.#memories = options.memories;
    const kernels = () => new Kernels(this.bytes, this.#team !== undefined, options.memories);
    if (this.wasm) this.#kernels = holding(this, kernels);
    this.#loops = this.#kernels && new LoopKernels(this.#kernels);
    const buffer = this.#kernels?.memory.buffer ??
      holding(this, () => new ArrayBuffer(this.bytes));
    this.#frame = new Frame(this, buffer, 0);
    for (const [id, constant] of graph.constants) this.#frame.write(id, constant.data);
    this.#instructions = this.#instruct(this.#frame);
    this.#firstJob = this.#kernels && this.#team?.load(this.#kernels, this.#jobs) || 0;
  }

  /** The outputs for these inputs. */
  run(inputs: readonly Tensor[]): Tensor[] {
    this.graph.inputs.forEach((id, i) => this.#write(id, i, inputs[i]!));
    for (const instruction of this.#instructions) instruction();
    return this.graph.outputs.map((id) => {
      const { shape, dtype, data } = this.#frame.view(id);
      return fromData(data.slice(), shape, dtype);
    });
  }

  /** Copies an argument to its place, where nothing else comes; one that is there stays. */
  #write(id: ValueId, i: number, x: Tensor): void {
    const { data } = x;
    if (data.byteLength < LEAST_KEPT) return this.#frame.write(id, data);
    if (this.#given[i]?.deref() === x) return;
    this.#given[i] = undefined;
    this.#frame.write(id, data);
    this.#given[i] = new WeakRef(x);
  }

  plan(): Plan {
    return planOf(this, this.#team?.size ?? 1);
  }

  measure(inputs: readonly Tensor[]): Measured {
    const times = new Map<Unit, number>();
    const timed = (unit: Unit, instruction: Instruction) => () => {
      const start = performance.now();
      instruction();
      times.set(unit, (times.get(unit) ?? 0) + performance.now() - start);
    };
    const plain = this.#placed.map(({ list, from, to }) => list.slice(from, to));
    try {
      this.#placed.forEach(({ unit, list, from }, i) =>
        plain[i]!.forEach((instruction, k) => list[from + k] = timed(unit, instruction))
      );
      const start = performance.now();
      this.run(inputs);
      return { milliseconds: performance.now() - start, times };
    } finally {
      this.#placed.forEach(({ list, from }, i) =>
        plain[i]!.forEach((instruction, k) => list[from + k] = instruction)
      );
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
    const { units, graph } = frame;
    const kernels = this.#kernels;
    const known = this.#loops?.of(units, graph);
    const instructions = (unit: Unit, i: number) => {
      if (isGroup(unit)) {
        this.#made.push({ kernel: known!.numbers[i]!, unit, graph });
        return [
          ...(unit.lookups ?? []).flatMap((step) => checkLookup(step, frame) ?? []),
          this.#wasmLoop(known!.loops[i]!, frame, kernels!, known!.numbers[i]!),
        ];
      }
      const step = unit;
      if (loopIn(step) !== undefined) return this.#rowLoop(step, frame);
      if (isAlias(step, graph)) return runAlias(step, frame) ?? [];
      if (kernels !== undefined && step.op.kind === "product") {
        return this.#product(step, step.op, frame, kernels);
      }
      const kernel = kernelOf(step, graph);
      if (kernels !== undefined && kernel !== undefined) {
        return this.#stepKernel(step, kernel, frame, kernels);
      }
      return runStep(step, frame);
    };
    const list: Instruction[] = [];
    units.forEach((unit, i) => {
      const from = list.length;
      list.push(...[instructions(unit, i)].flat());
      this.#placed.push({ unit, list, from, to: list.length });
    });
    return list;
  }

  /** A body that is run for one block of rows after the other. */
  #rowLoop(step: Step, frame: Frame): Instruction {
    const loop = loopIn(step)!;
    const buffer = frame.view(step.output).data.buffer;
    const bodies = frame.memory.bodies.get(step)!.map((plan, i) => {
      const { body: graph, inputs } = loop.runs[i]!;
      const outside = inputs.map(({ from }, k) =>
        [graph.inputs[k]!, frame.offsets.get(step.inputs[from]!)!] as const
      );
      return framesOf({ ...plan, graph }, buffer, frame.start + plan.at, new Map(outside))
        .map((own) => ({ frame: own, instructions: this.#instruct(own) }));
    });
    const given = step.inputs.map((id) => frame.offsets.get(id)!);
    return rowLoop(loop, given, frame.view(step.output).data, bodies);
  }

  /** A loop as WebAssembly. */
  #wasmLoop(loop: GroupLoop, frame: Frame, kernels: Kernels, kernel: number): Instruction {
    const calls = new LoopCalls(loop, frame.offsets, this.memory.bytes);
    const parts = this.#team && calls.split(this.#team.size, this.#smallestShared);
    if (parts !== undefined) return this.#share(loop.outputs, kernels, kernel, parts);
    const run = kernels.get(kernel);
    if (loop.space.outer.length > 0) return () => calls.each((numbers) => run(...numbers));
    let all: readonly number[] = [];
    calls.each((numbers) => all = numbers);
    return () => run(...all);
  }

  /** A product of matrices, or distances, as WebAssembly. */
  #product(
    step: Step,
    op: ProductOp<unknown>,
    { graph, offsets }: Frame,
    kernels: Kernels,
  ): Instruction {
    const calls = new ProductCalls(step, op, graph, offsets, this.memory.bytes);
    const key = JSON.stringify(calls.options);
    const kernel = this.#known.get(key) ?? kernels.add(emitKernel(calls.options), ["run"]);
    this.#known.set(key, kernel);
    this.#made.push({ kernel, unit: step, graph });
    const parts = this.#team && calls.split(this.#team.size, this.#smallestShared);
    if (parts !== undefined) return this.#share([step.output], kernels, kernel, parts);
    return runAll(kernels.get(kernel), calls.whole());
  }

  /** A step that is a function of its own, as WebAssembly, after a check of its positions. */
  #stepKernel(step: Step, kernel: StepKernel, frame: Frame, kernels: Kernels): Instruction {
    const places = { offsets: frame.offsets, scratch: this.memory.bytes };
    const number = this.#known.get(kernel.key) ?? addStepKernel(kernel, kernels);
    this.#known.set(kernel.key, number);
    this.#made.push({ kernel: number, unit: step, graph: frame.graph });
    const parts = this.#team &&
      splitCalls(kernel, places, this.#team.size, this.#smallestShared);
    const work = parts === undefined
      ? runAll(kernels.get(number), wholeCalls(kernel, places))
      : this.#share([step.output], kernels, number, parts);
    if (kernel.verified !== undefined) {
      const { ids, verify } = kernel.verified;
      const values = ids.map((id) => frame.view(id));
      return () => {
        verify(...values);
        work();
      };
    }
    if (kernel.positions === undefined) return work;
    const check = checkPositions(kernel.positions, frame);
    return () => {
      check();
      work();
    };
  }

  /** A step that all threads do together. */
  #share(
    outputs: readonly ValueId[],
    kernels: Kernels,
    kernel: number,
    parts: readonly Calls[],
  ): Instruction {
    this.shared.push(...outputs);
    const job = this.#jobs.push({ kernel, parts }) - 1;
    const run = kernels.get(kernel);
    const own = (part: number) => parts[part]!.forEach((numbers) => run(...numbers));
    return () => this.#team!.run(this.#firstJob + job, own);
  }
}

/** Refuses positions outside of their axis. */
function checkPositions({ id, extent, caller }: Positions, frame: Frame): Instruction {
  const positions = frame.view(id);
  return () => void checkLabels(caller, positions, extent, { argument: "indices" });
}

/** The same of slices that loops read where they are; `undefined` where nothing can be wrong. */
function checkLookup(step: Step, frame: Frame): Instruction | undefined {
  const positions = lookupKernel(step, step.op as LookupOp<unknown>, frame.graph)?.positions;
  return positions && checkPositions(positions, frame);
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

/** A step by the operation's own rule. */
function runStep({ op, inputs, params, output }: Step, frame: Frame): Instruction {
  const given = inputs.map((id) => frame.view(id));
  const spec = frame.graph.values[output]!;
  return () => frame.write(output, op.forward(given, params, spec));
}

/** A look at what is not allowed; nothing where a value only has another shape or name. */
function runAlias({ op, inputs, params, output }: Step, frame: Frame): Instruction | undefined {
  if (op.kind !== "check") return undefined;
  const given = inputs.map((id) => frame.view(id));
  return () => void op.forward(given, params, frame.graph.values[output]!);
}

function runAll(run: Kernel, calls: Calls): Instruction {
  const [first, ...others] = calls;
  if (first !== undefined && others.length === 0) return () => run(...first);
  return () => {
    for (const numbers of calls) run(...numbers);
  };
}

function addStepKernel(kernel: StepKernel, kernels: Kernels): number {
  const builder = new ModuleBuilder({ from: "import" });
  builder.exportFunction("run", kernel.emit(builder));
  return kernels.add(builder.encode(), ["run"]);
}

/** Bytes that a thread may need in between for any step of a graph, or of a loop's body in it. */
function scratchBytes(graph: Graph): number {
  return graph.steps.reduce((most, step) => {
    const own = step.op.kind === "product"
      ? SCRATCH_BYTES
      : kernelOf(step, graph)?.scratchBytes ?? 0;
    const bodies = loopIn(step)?.runs.map(({ body }) => scratchBytes(body)) ?? [];
    return Math.max(most, own, ...bodies);
  }, 0);
}

/** Bytes that a thread may need in between for any loop. */
function loopBytes(units: readonly Unit[], graph: Graph, { bodies }: MemoryPlan): number {
  return units.reduce((most, unit) => {
    if (isGroup(unit)) return Math.max(most, temporaryBytes(keepingLoopOf(unit, graph)));
    const runs = loopIn(unit)?.runs ?? [];
    const inside = bodies.get(unit)?.map((plan, i) =>
      loopBytes(plan.units, runs[i]!.body, plan.memory)
    ) ?? [];
    return Math.max(most, ...inside);
  }, 0);
}
