/**
 * Programs on the CPU: a plan over one block of memory, run by WebAssembly where there is SIMD.
 *
 * @module
 */
import { compileLoop, type LoopCall } from "../../kernels/elementwise/fused.ts";
import { importMath } from "../../kernels/elementwise/typed.ts";
import { emitLoop } from "../../kernels/elementwise/wasm.ts";
import { emitKernel } from "../../kernels/matmul/emit.ts";
import type { Extents } from "../../kernels/row_reduce/reference.ts";
import {
  type ArrayReduction,
  emitReduction,
  reductionCalls,
} from "../../kernels/row_reduce/wasm.ts";
import { hasSimd } from "../../kernels/wasm/features.ts";
import { ModuleBuilder } from "../../kernels/wasm/module.ts";
import type { DType, TypedArray } from "../dtype.ts";
import { matmulOp, pairwiseSquaredDistanceOp } from "../ops/linalg.ts";
import { type Axes, maxOp, minOp, sumOp } from "../ops/reduce.ts";
import { sizeOf } from "../shape.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { type Calls, LoopCalls, ProductCalls, SCRATCH_BYTES, SMALLEST_SHARED_NS } from "./calls.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import { Kernels } from "./kernels.ts";
import { type GroupLoop, loopOf } from "./loops.ts";
import { fuseSteps, isGroup, type Unit } from "./passes/fuse.ts";
import { transposedMatmulOp } from "./passes/transposed_matmul.ts";
import { isAlias, type MemoryPlan, planMemory } from "./plan.ts";
import { walkOuter } from "./space.ts";
import type { Job, Team } from "./threads.ts";

type Instruction = () => void;

/** Options of {@linkcode CpuExecutable}. */
export interface CpuOptions {
  /** Whether to use WebAssembly; by default where it has SIMD. */
  wasm?: boolean | undefined;
  /** Threads that share the larger steps; by default the calling one does all. */
  team?: Team | undefined;
  /** The least work worth sharing, in nanoseconds by a rough estimate. */
  smallestShared?: number | undefined;
}

/** A graph that can be run, again and again, in memory of its own. */
export class CpuExecutable {
  readonly graph: Graph;
  /** What is done, in order. */
  readonly units: readonly Unit[];
  /** Where values lie. */
  readonly memory: MemoryPlan;
  /** Whether loops and products run as WebAssembly. */
  readonly wasm: boolean;
  /** Values that several threads make together. */
  readonly shared: ValueId[] = [];
  readonly #team: Team | undefined;
  readonly #smallestShared: number;
  readonly #kernels: Kernels | undefined;
  readonly #views = new Map<ValueId, Tensor>();
  readonly #jobs: Job[] = [];
  readonly #firstJob: number;
  readonly #instructions: readonly Instruction[];

  constructor(graph: Graph, options: CpuOptions = {}) {
    this.graph = graph;
    this.units = fuseSteps(graph);
    this.wasm = options.wasm ?? hasSimd();
    this.#team = this.wasm ? options.team : undefined;
    this.#smallestShared = options.smallestShared ?? SMALLEST_SHARED_NS;
    const threads = this.#team?.size ?? 1;
    const products = this.units.some((unit) => isProduct(unit, graph));
    this.memory = planMemory(graph, this.units, products ? threads * SCRATCH_BYTES : 0);
    if (this.wasm) this.#kernels = new Kernels(this.memory.bytes, this.#team !== undefined);
    const buffer = this.#kernels?.memory.buffer ?? new ArrayBuffer(this.memory.bytes);
    for (const [id, offset] of this.memory.offsets) {
      const { shape, dtype } = graph.values[id]!;
      this.#views.set(id, fromData(viewOf(buffer, dtype, offset, sizeOf(shape)), shape, dtype));
    }
    for (const [id, constant] of graph.constants) this.#write(id, constant.data);
    this.#instructions = this.#instruct();
    this.#firstJob = this.#kernels && this.#team?.load(this.#kernels, this.#jobs) || 0;
  }

  /** The outputs for these inputs. */
  run(inputs: readonly Tensor[]): Tensor[] {
    this.graph.inputs.forEach((id, i) => this.#write(id, inputs[i]!.data));
    for (const instruction of this.#instructions) instruction();
    return this.graph.outputs.map((id) => {
      const { shape, dtype } = this.graph.values[id]!;
      return fromData(this.#view(id).data.slice(), shape, dtype);
    });
  }

  #view(id: ValueId): Tensor {
    return this.#views.get(id)!;
  }

  #write(id: ValueId, data: TypedArray): void {
    (this.#view(id).data as Float64Array).set(data);
  }

  #instruct(): Instruction[] {
    const kernels = this.#kernels;
    const loops = this.units.map((unit) => isGroup(unit) ? loopOf(unit, this.graph) : undefined);
    const numbers = kernels === undefined ? [] : addLoops(kernels, loops);
    const products = new Map<string, number>();
    return this.units.flatMap((unit, i) => {
      const loop = loops[i];
      if (loop !== undefined) {
        return kernels === undefined
          ? this.#loop(loop)
          : this.#wasmLoop(loop, kernels, numbers[i]!);
      }
      const step = unit as Step;
      if (kernels !== undefined && isProduct(step, this.graph)) {
        return this.#product(step, kernels, products);
      }
      const extents = reducedExtents(step, this.graph);
      if (kernels !== undefined && extents !== undefined) {
        return this.#reduction(step, extents, kernels);
      }
      return this.#step(step) ?? [];
    });
  }

  /** A reduction of an axis that is not the last, as WebAssembly. */
  #reduction(step: Step, extents: Extents, kernels: Kernels): Instruction {
    const reduction: ArrayReduction = {
      ...extents,
      reduce: step.op.name as ArrayReduction["reduce"],
      dtype: this.graph.values[step.output]!.dtype as ArrayReduction["dtype"],
    };
    const builder = new ModuleBuilder({ from: "import" });
    builder.exportFunction("reduce", emitReduction(builder, importMath(builder), reduction));
    const run = kernels.get(kernels.add(builder.encode(), ["reduce"]));
    const [out, data] = [step.output, step.inputs[0]!].map((id) => this.memory.offsets.get(id)!);
    const calls = reductionCalls(reduction, out!, data!);
    return () => {
      for (const numbers of calls) run(...numbers);
    };
  }

  /** A step by the operation's own rule; none where the result is the input's memory. */
  #step(step: Step): Instruction | undefined {
    const { op, params, output } = step;
    const alias = isAlias(step, this.graph);
    if (alias && !op.isCheck) return undefined;
    const inputs = step.inputs.map((id) => this.#view(id));
    const spec = this.graph.values[output]!;
    if (alias) return () => void op.forward(inputs, params, spec);
    return () => this.#write(output, op.forward(inputs, params, spec));
  }

  /** A loop as JavaScript. */
  #loop({ spec, space, outputs }: GroupLoop): Instruction {
    const run = compileLoop(spec);
    const { rows, columns } = space;
    const call = {
      rows,
      columns,
      operands: this.#operandIds(spec).map((id, i) => ({
        data: this.#view(id).data,
        start: 0,
        step: space.operands[i]!.step,
      })),
      outputs: outputs.map((id, i) => ({
        data: this.#view(id).data,
        start: 0,
        step: spec.stores[i]!.moves ? columns : 1,
      })),
    } satisfies LoopCall;
    const starts = call.operands.map(() => 0);
    return () =>
      walkOuter(space, starts, (index) => {
        starts.forEach((start, i) => call.operands[i]!.start = start);
        for (const lane of call.outputs) lane.start = index * rows * lane.step;
        run(call);
      });
  }

  /** A loop as WebAssembly. */
  #wasmLoop(loop: GroupLoop, kernels: Kernels, kernel: number): Instruction {
    const calls = new LoopCalls(loop, this.memory);
    const parts = this.#team && calls.split(this.#team.size, this.#smallestShared);
    if (parts !== undefined) return this.#share(loop.outputs, kernels, kernel, parts);
    const run = kernels.get(kernel);
    if (loop.space.outer.length > 0) return () => calls.each((numbers) => run(...numbers));
    let all: readonly number[] = [];
    calls.each((numbers) => all = numbers);
    return () => run(...all);
  }

  #operandIds({ operands }: GroupLoop["spec"]): ValueId[] {
    return operands.map(({ name }) => Number(name.slice(1)));
  }

  /** A product of matrices, or distances, as WebAssembly. */
  #product(step: Step, kernels: Kernels, known: Map<string, number>): Instruction {
    const calls = new ProductCalls(step, this.graph, this.memory);
    const key = JSON.stringify(calls.options);
    const kernel = known.get(key) ?? kernels.add(emitKernel(calls.options), ["run"]);
    known.set(key, kernel);
    const parts = this.#team && calls.split(this.#team.size, this.#smallestShared);
    if (parts !== undefined) return this.#share([step.output], kernels, kernel, parts);
    const [run, all] = [kernels.get(kernel), calls.whole()];
    return () => run(...all);
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

/** The extents around neighbouring axes that a step reduces; `undefined` where it does not. */
function reducedExtents({ op, inputs, params, output }: Step, graph: Graph): Extents | undefined {
  if (!([sumOp, maxOp, minOp] as unknown[]).includes(op)) return undefined;
  const { shape, dtype } = graph.values[inputs[0]!]!;
  const { axes } = params as Axes;
  const [first = 0] = axes;
  const together = axes.length > 0 && axes.every((axis, i) => axis === first + i);
  const same = dtype === graph.values[output]!.dtype && dtype !== "bool";
  if (!together || !same || sizeOf(shape) === 0) return undefined;
  const end = first + axes.length;
  const [before, along, behind] = [
    shape.slice(0, first),
    shape.slice(first, end),
    shape.slice(end),
  ];
  return { outer: sizeOf(before), count: sizeOf(along), inner: sizeOf(behind) };
}

/** Whether a unit is a product of two matrices, or their distances. */
function isProduct(unit: Unit, graph: Graph): boolean {
  if (isGroup(unit)) return false;
  const products: readonly unknown[] = [matmulOp, transposedMatmulOp, pairwiseSquaredDistanceOp];
  const isMatrix = (id: ValueId) => graph.values[id]!.shape.length === 2;
  return products.includes(unit.op) && unit.inputs.every(isMatrix);
}

/** Adds the loops as functions of one module; returns their numbers. */
function addLoops(
  kernels: Kernels,
  loops: readonly (GroupLoop | undefined)[],
): (number | undefined)[] {
  const builder = new ModuleBuilder({ from: "import" });
  const math = importMath(builder);
  const names: string[] = [];
  const places = loops.map((loop) => {
    if (loop === undefined) return undefined;
    const name = `loop${names.length}`;
    builder.exportFunction(name, emitLoop(builder, math, loop.spec));
    return names.push(name) - 1;
  });
  const first = kernels.add(builder.encode(), names);
  return places.map((place) => place === undefined ? undefined : first + place);
}

function viewOf(buffer: ArrayBufferLike, dtype: DType, offset: number, size: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer, offset, size);
    case "float64":
      return new Float64Array(buffer, offset, size);
    case "int32":
      return new Int32Array(buffer, offset, size);
    case "bool":
      return new Uint8Array(buffer, offset, size);
  }
}
