/**
 * Results that are 0 but in the rows that positions name: fresh memory is 0 there, and costs nothing
 * until it is written to.
 *
 * @module
 */
import { allocate, BYTES, type TypedArray } from "../../dtype.ts";
import { extentsAround, sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import type { Graph, ValueId } from "../../program/graph.ts";
import { uniformValue } from "../../program/loops.ts";

/** The rows of a result that may be anything but 0. */
export interface NamedRows {
  /** The value that holds their positions. */
  readonly positions: ValueId;
  /** How many values a row has. */
  readonly inner: number;
}

/** Results and rows that are smaller are copied as they are. */
const SMALLEST = { result: 2 ** 20, row: 256 } as const;

/** Whether sums start from nothing: a constant of zeros. */
export function isZero(id: ValueId, { constants }: Graph): boolean {
  const constant = constants.get(id);
  return constant !== undefined && Object.is(uniformValue(constant), 0);
}

/** The results of a graph that are sums of rows by positions that are arguments or constants. */
export function namedRows(graph: Graph): Map<ValueId, NamedRows> {
  const { steps, inputs, outputs, values, constants } = graph;
  const stay = new Set([...inputs, ...constants.keys()]);
  const read = new Set(steps.flatMap((step) => step.inputs));
  const results = new Set(outputs.filter((id) => !read.has(id)));
  const found = new Map<ValueId, NamedRows>();
  for (const { op, inputs: [start, positions], params, output } of steps) {
    if (op.kind !== "scatter" || op.by !== "slice" || op.reduce !== "sum") continue;
    const { shape, dtype } = values[output]!;
    const { outer, inner } = extentsAround(shape, op.axis(params));
    const bytes = BYTES[dtype] * inner;
    const isLarge = sizeOf(shape) * BYTES[dtype] >= SMALLEST.result && bytes >= SMALLEST.row;
    const isSparse = results.has(output) && stay.has(positions!) && isZero(start!, graph);
    if (outer === 1 && isLarge && isSparse) found.set(output, { positions: positions!, inner });
  }
  return found;
}

/** A copy in fresh memory, of which only the rows that are named are written to. */
export function copyRows(
  { data, dtype }: Tensor,
  positions: Tensor,
  { inner }: NamedRows,
): TypedArray {
  const count = data.length / inner;
  const isNamed = new Uint8Array(count + 1);
  for (const position of positions.data) isNamed[position] = 1;
  const copy = allocate(dtype, data.length) as Float64Array;
  for (let to = 0, from = isNamed.indexOf(1); from >= 0; from = isNamed.indexOf(1, to)) {
    to = isNamed.indexOf(0, from);
    copy.set(data.subarray(from * inner, to * inner), from * inner);
  }
  return copy;
}
