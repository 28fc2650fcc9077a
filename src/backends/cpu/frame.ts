/**
 * The values of a graph in a program's memory: the program's own, or those of a loop's body.
 *
 * @module
 */
import type { DType, TypedArray } from "../../dtype.ts";
import { sizeOf } from "../../shape.ts";
import { fromData, type Tensor } from "../../tensor.ts";
import type { Graph, ValueId } from "../../program/graph.ts";
import type { Unit } from "../../program/passes/fuse.ts";
import type { BodyPlan, MemoryPlan } from "../../program/plan.ts";

/** What is done in a stretch of memory. */
export interface FramePlan {
  /** The graph. */
  graph: Graph;
  /** What is done, in order. */
  units: readonly Unit[];
  /** Where values lie, from the frame's first byte on. */
  memory: MemoryPlan;
}

/** A graph whose values have their places. */
export class Frame {
  readonly graph: Graph;
  readonly units: readonly Unit[];
  readonly memory: MemoryPlan;
  /** The first byte of the frame. */
  readonly start: number;
  /** The first byte of every value. */
  readonly offsets: ReadonlyMap<ValueId, number>;
  readonly #views = new Map<ValueId, Tensor>();

  constructor(
    { graph, units, memory }: FramePlan,
    buffer: ArrayBufferLike,
    start: number,
    outside: ReadonlyMap<ValueId, number> = new Map(),
  ) {
    this.graph = graph;
    this.units = units;
    this.memory = memory;
    this.start = start;
    const offsets = new Map<ValueId, number>();
    for (const [id, offset] of memory.offsets) offsets.set(id, start + offset);
    for (const [id, input] of memory.outside) offsets.set(id, outside.get(input)!);
    this.offsets = offsets;
    for (const [id, offset] of offsets) {
      const { shape, dtype } = graph.values[id]!;
      this.#views.set(id, fromData(viewOf(buffer, dtype, offset, sizeOf(shape)), shape, dtype));
    }
  }

  /** A value, where it lies. */
  view(id: ValueId): Tensor {
    return this.#views.get(id)!;
  }

  write(id: ValueId, data: TypedArray): void {
    (this.view(id).data as Float64Array).set(data);
  }
}

/** The frame of a body; two that take turns where carries and what they become change places. */
export function framesOf(
  { swaps, ...plan }: FramePlan & Pick<BodyPlan, "swaps">,
  buffer: ArrayBufferLike,
  start: number,
  outside: ReadonlyMap<ValueId, number>,
): Frame[] {
  const frame = (memory: MemoryPlan) => new Frame({ ...plan, memory }, buffer, start, outside);
  if (swaps.length === 0) return [frame(plan.memory)];
  const { offsets } = plan.memory;
  const places = new Map<number, number>();
  for (const [carry, next] of swaps) {
    const [here, there] = [offsets.get(carry)!, offsets.get(next)!];
    places.set(here, there).set(there, here);
  }
  const swapped = new Map([...offsets].map(([id, at]) => [id, places.get(at) ?? at]));
  return [frame(plan.memory), frame({ ...plan.memory, offsets: swapped })];
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
