/**
 * Operations across ranks, with gradient rules.
 *
 * What is differentiated is the sum over all ranks of what each of them returns. So the gradient of
 * a sum over ranks is again a sum over ranks, and each rank's share of gathered rows gets what all
 * ranks have found for it. All rules are made of the same operations, for any order.
 *
 * @module
 */
import { allocate } from "../dtype.ts";
import { cast, concat, div, equal, reshape, split, where } from "../ops/mod.ts";
import { type OpaqueOp, perInput } from "../op.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { agree, type Call, callOf } from "./agree.ts";
import type { NumberArray, Transport } from "./transport.ts";

/** What {@linkcode allReduceOp} needs to know. */
export interface Reduced {
  /** The ranks. */
  transport: Transport;
  /** What becomes of the numbers at one position. */
  op: "sum" | "mean" | "max";
  /** What ranks compare before. */
  call: Call;
}

/** All inputs, one behind the other in one array, reduced over the ranks. */
export const allReduceOp: OpaqueOp<Reduced> = {
  kind: "opaque",
  name: "allReduce",
  infer: (inputs) => ({
    shape: [inputs.reduce((sum, x) => sum + x.size, 0)],
    dtype: inputs[0]!.dtype,
  }),
  forward(inputs, { transport, op, call }, { shape, dtype }) {
    agree(transport, call);
    const values = allocate(dtype, shape[0]!) as NumberArray;
    let end = 0;
    for (const { data, size } of inputs) {
      values.set(data, end);
      end += size;
    }
    transport.allReduce(values, op === "max" ? "max" : "sum");
    if (op === "mean") { for (let i = 0; i < values.length; i++) values[i]! /= transport.size; }
    return values;
  },
  vjp(g, output, inputs, { transport, op, call }) {
    const back = callOf(`the gradient of ${call.name}`, inputs);
    const reduce = (...xs: Tensor[]) =>
      apply(allReduceOp, xs, { transport, op: op === "mean" ? op : "sum", call: back });
    if (op !== "max") return unpack(reduce(g), inputs);
    const own = concat(inputs.map((x) => reshape(x, [x.size])));
    const holds = equal(own, output);
    const [total, holders] = split(reduce(g, cast(holds, g.dtype)), 2);
    return unpack(where(holds, div(total!, where(holds, holders!, 1)), 0), inputs);
  },
};

/** The parts of a vector in the shapes of tensors. */
export function unpack(vector: Tensor, like: readonly Tensor[]): Tensor[] {
  if (like.length === 1) return [reshape(vector, like[0]!.shape)];
  const parts = split(vector, like.map((x) => x.size));
  return parts.map((part, i) => reshape(part, like[i]!.shape));
}

/** What {@linkcode allGatherOp} and {@linkcode reduceScatterOp} need to know. */
export interface Gathered {
  /** The ranks. */
  transport: Transport;
  /** How many rows each rank has. */
  rows: readonly number[];
}

/** The rows of all ranks, in the order of ranks. */
export const allGatherOp: OpaqueOp<Gathered> = {
  kind: "opaque",
  name: "allGather",
  infer: ([x], { rows }) => ({
    shape: [rows.reduce((a, b) => a + b, 0), ...x!.shape.slice(1)],
    dtype: x!.dtype,
  }),
  forward([x], { transport, rows }, { shape, dtype }) {
    const data = allocate(dtype, sizeOf(shape));
    const width = sizeOf(shape.slice(1));
    const before = rows.slice(0, transport.rank).reduce((a, b) => a + b, 0);
    data.set(x!.data, before * width);
    transport.allGather(data, rows.map((count) => count * width));
    return data;
  },
  vjp: perInput((g, _y, _x, params) => apply(reduceScatterOp, [g], params)),
};

/** The own rows of the sum over all ranks. */
export const reduceScatterOp: OpaqueOp<Gathered> = {
  kind: "opaque",
  name: "reduceScatter",
  infer: ([x], { transport, rows }) => ({
    shape: [rows[transport.rank]!, ...x!.shape.slice(1)],
    dtype: x!.dtype,
  }),
  forward([x], { transport, rows }) {
    const width = sizeOf(x!.shape.slice(1));
    return transport.reduceScatter(
      (x!.data as NumberArray).slice(),
      rows.map((count) => count * width),
    );
  },
  vjp: perInput((g, _y, _x, params) => apply(allGatherOp, [g], params)),
};
