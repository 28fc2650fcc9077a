/**
 * Programs on the CPU: a plan over one block of memory, run by WebAssembly where there is SIMD.
 *
 * @module
 */
import { compileLoop, type LoopCall } from "../../kernels/elementwise/fused.ts";
import { importMath } from "../../kernels/elementwise/typed.ts";
import { emitLoop } from "../../kernels/elementwise/wasm.ts";
import type { InnerProduct, MatrixPointer } from "../../kernels/matmul/inner_product.ts";
import { createMatmul } from "../../kernels/matmul/wasm.ts";
import { createSquaredDistances } from "../../kernels/pairwise_distance/wasm.ts";
import { hasSimd } from "../../kernels/wasm/features.ts";
import { ModuleBuilder, PAGE_BYTES } from "../../kernels/wasm/module.ts";
import { BYTES, type DType, type TypedArray } from "../dtype.ts";
import { matmulOp, pairwiseSquaredDistanceOp } from "../ops/linalg.ts";
import { sizeOf } from "../shape.ts";
import { fromData, type Tensor } from "../tensor.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import { type GroupLoop, loopOf } from "./loops.ts";
import { fuseSteps, isGroup, type Unit } from "./passes/fuse.ts";
import { type Transposed, transposedMatmulOp } from "./passes/transposed_matmul.ts";
import { isAlias, type MemoryPlan, planMemory } from "./plan.ts";
import { walkOuter } from "./space.ts";

type Instruction = () => void;

/** Options of {@linkcode CpuExecutable}. */
export interface CpuOptions {
  /** Whether to use WebAssembly; by default where it has SIMD. */
  wasm?: boolean | undefined;
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
  readonly #arena: WebAssembly.Memory | undefined;
  readonly #views = new Map<ValueId, Tensor>();
  readonly #instructions: readonly Instruction[];

  constructor(graph: Graph, options: CpuOptions = {}) {
    this.graph = graph;
    this.units = fuseSteps(graph);
    this.wasm = options.wasm ?? hasSimd();
    const products = this.units.some((unit) => isProduct(unit, graph));
    this.memory = planMemory(graph, this.units, products ? SCRATCH_BYTES : 0);
    const buffer = this.wasm
      ? (this.#arena = makeArena(this.memory.bytes)).buffer
      : new ArrayBuffer(this.memory.bytes);
    for (const [id, offset] of this.memory.offsets) {
      const { shape, dtype } = graph.values[id]!;
      this.#views.set(id, fromData(viewOf(buffer, dtype, offset, sizeOf(shape)), shape, dtype));
    }
    for (const [id, constant] of graph.constants) this.#write(id, constant.data);
    this.#instructions = this.#instruct();
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
    const loops = this.units.map((unit) => isGroup(unit) ? loopOf(unit, this.graph) : undefined);
    const emitted = this.#arena === undefined ? undefined : emitLoops(loops, this.#arena);
    const products = new Map<string, InnerProduct>();
    return this.units.flatMap((unit, i) => {
      const loop = loops[i];
      if (loop !== undefined) {
        return emitted === undefined ? this.#loop(loop) : this.#wasmLoop(loop, emitted[i]!);
      }
      const step = unit as Step;
      if (this.#arena !== undefined && isProduct(step, this.graph)) {
        return this.#product(step, this.#arena, products);
      }
      return this.#step(step) ?? [];
    });
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
  #wasmLoop({ spec, space, outputs }: GroupLoop, run: (...numbers: number[]) => void): Instruction {
    const { offsets } = this.memory;
    const { rows, columns } = space;
    const inputs = this.#operandIds(spec).map((id) => offsets.get(id)!);
    const bytes = spec.operands.map(({ dtype }) => BYTES[dtype]);
    const targets = outputs.map((id) => offsets.get(id)!);
    const outputSteps = spec.stores.map(({ dtype, moves }) => BYTES[dtype] * (moves ? columns : 1));
    const steps = space.operands.map(({ step }, i) => step * bytes[i]!);
    const starts = inputs.map(() => 0);
    const fixed = [...outputSteps, ...steps, rows, columns];
    if (space.outer.length === 0) {
      const all = [...targets, ...inputs, ...fixed];
      return () => run(...all);
    }
    return () =>
      walkOuter(space, starts, (index) => {
        run(
          ...targets.map((at, i) => at + index * rows * outputSteps[i]!),
          ...inputs.map((at, i) => at + starts[i]! * bytes[i]!),
          ...fixed,
        );
      });
  }

  #operandIds({ operands }: GroupLoop["spec"]): ValueId[] {
    return operands.map(({ name }) => Number(name.slice(1)));
  }

  /** A product of matrices, or distances, as WebAssembly. */
  #product(
    { op, inputs, params, output }: Step,
    arena: WebAssembly.Memory,
    kernels: Map<string, InnerProduct>,
  ): Instruction {
    const { shape, dtype } = this.graph.values[output]!;
    const isDistance = op as unknown === pairwiseSquaredDistanceOp;
    const key = `${isDistance} ${dtype}`;
    const create = isDistance ? createSquaredDistances : createMatmul;
    const kernel = kernels.get(key) ?? create(arena, dtype as "float32" | "float64");
    kernels.set(key, kernel);
    const { a: left, b: right } = isDistance
      ? { a: false, b: true }
      : (params as Transposed | null) ?? { a: false, b: false };
    const pointer = (id: ValueId, transposed: boolean): MatrixPointer => {
      const columns = this.graph.values[id]!.shape[1]!;
      const [rowStride, columnStride] = transposed ? [1, columns] : [columns, 1];
      return { at: this.memory.offsets.get(id)!, rowStride, columnStride };
    };
    const [m, n] = shape as [number, number];
    const k = this.graph.values[inputs[0]!]!.shape[left ? 0 : 1]!;
    const out = { at: this.memory.offsets.get(output)!, rowStride: n };
    const [a, b] = [pointer(inputs[0]!, left), pointer(inputs[1]!, right)];
    return () => kernel.run(out, a, b, m, k, n, this.memory.scratch);
  }
}

/** What a product may need to rearrange its operands. */
const SCRATCH_BYTES = 2 ** 22;

/** Whether a unit is a product of two matrices, or their distances. */
function isProduct(unit: Unit, graph: Graph): boolean {
  if (isGroup(unit)) return false;
  const products: readonly unknown[] = [matmulOp, transposedMatmulOp, pairwiseSquaredDistanceOp];
  const isMatrix = (id: ValueId) => graph.values[id]!.shape.length === 2;
  return products.includes(unit.op) && unit.inputs.every(isMatrix);
}

function makeArena(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });
}

/** The loops as functions of one module over the arena. */
function emitLoops(
  loops: readonly (GroupLoop | undefined)[],
  memory: WebAssembly.Memory,
): (((...numbers: number[]) => void) | undefined)[] {
  const builder = new ModuleBuilder({ from: "import" });
  const math = importMath(builder);
  loops.forEach((loop, i) => {
    if (loop !== undefined) builder.exportFunction(`loop${i}`, emitLoop(builder, math, loop.spec));
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(builder.encode()), {
    env: { memory },
    Math: Math as unknown as WebAssembly.ModuleImports,
  });
  return loops.map((_, i) => exports[`loop${i}`] as (...numbers: number[]) => void);
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
