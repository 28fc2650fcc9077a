/**
 * The values of a graph in a program's memory: the program's own, or those of a loop's body.
 *
 * @module
 */
import type { DType, TypedArray } from "../../dtype.ts";
import { sizeOf } from "../../shape.ts";
import { fromData, type Tensor } from "../../tensor.ts";
import type { ValueId } from "../../program/graph.ts";
import type { MemoryPlan } from "../../program/plan.ts";

/** A graph whose values have their places. */
export class Frame {
  readonly plan: MemoryPlan;
  /** The first byte of the frame. */
  readonly start: number;
  /** The first byte of every value. */
  readonly offsets: ReadonlyMap<ValueId, number>;
  readonly #views = new Map<ValueId, Tensor>();

  /** In the memory from `start` on; `outside` is where inputs lie that come from there. */
  constructor(
    plan: MemoryPlan,
    buffer: ArrayBufferLike,
    start: number,
    outside: ReadonlyMap<ValueId, number> = new Map(),
  ) {
    this.plan = plan;
    this.start = start + plan.at;
    const offsets = new Map<ValueId, number>();
    for (const [id, offset] of plan.offsets) offsets.set(id, this.start + offset);
    for (const [id, input] of plan.outside) offsets.set(id, outside.get(input)!);
    this.offsets = offsets;
    for (const [id, offset] of offsets) {
      const { shape, dtype } = plan.graph.values[id]!;
      this.#views.set(id, fromData(new VIEWS[dtype](buffer, offset, sizeOf(shape)), shape, dtype));
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

/** The plan of a body; two that take turns where carries and what they become change places. */
export function turnsOf(plan: MemoryPlan): MemoryPlan[] {
  const { swaps, offsets } = plan;
  if (swaps.length === 0) return [plan];
  const places = new Map<number, number>();
  for (const [carry, next] of swaps) {
    const [here, there] = [offsets.get(carry)!, offsets.get(next)!];
    places.set(here, there).set(there, here);
  }
  const swapped = new Map([...offsets].map(([id, at]) => [id, places.get(at) ?? at]));
  return [plan, { ...plan, offsets: swapped }];
}

type View = new (buffer: ArrayBufferLike, offset: number, size: number) => TypedArray;

const VIEWS: Record<DType, View> = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
};
