/**
 * What each kind of operation does to all rows at once.
 *
 * @module
 */
import { copyAll, isIdentity } from "../../kernels/layout/reference.ts";
import { check } from "../check.ts";
import { arange } from "../create.ts";
import { allocate } from "../dtype.ts";
import type {
  CheckOp,
  Composite,
  LookupOp,
  MapOp,
  OpaqueOp,
  Primitive,
  Refusal,
  ScatterOp,
  SparseProductOp,
  ViewOp,
  Vjp,
} from "../op.ts";
import { add, moveAxis, mul, reshape, sum } from "../ops/mod.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { fitCotangent } from "./backward.ts";
import { aligned, BatchTrace, type Call, rowsOf, type Rule } from "./batching.ts";
import { batchBlocks, batchLoop, eachRow } from "./batching_loops.ts";
import { batchProduct } from "./batching_products.ts";

type Kind = Primitive<unknown>["kind"];

/** The rule of every kind of operation. */
const RULES: {
  readonly [K in Kind]: (call: Call<Extract<Primitive<unknown>, { kind: K }>>) => Tensor;
} = {
  map: batchAligned,
  view: batchView,
  reduce: batchLifted,
  product: batchProduct,
  lookup: (call) => call.op.by === "slice" ? batchSlices(call) : batchLifted(call),
  scatter: (call) => call.op.by === "slice" ? batchSlices(call) : batchLifted(call),
  sort: batchLifted,
  cumulative: batchLifted,
  sparseProduct: batchSparse,
  check: batchCheck,
  loop: batchLoop as never,
  random: eachRow,
  opaque: (call) => call.op.batched ? batchAligned(call) : eachRow(call),
};

/** Does an operation on rows. */
export const batchRule: Rule = (call) => {
  if (!("kind" in call.op)) return batchComposite(call as Call<Composite<unknown>>);
  const rule = RULES[call.op.kind] as (call: Call<Primitive<unknown>>) => Tensor;
  return rule(call as Call<Primitive<unknown>>);
};

/** What broadcasts: rows of less axes get axes of extent 1. */
function batchAligned(call: Call<MapOp<unknown> | OpaqueOp<unknown>>): Tensor {
  return apply(call.op, aligned(call), call.params);
}

/** By parameters that leave the axis in front alone. */
function batchLifted(
  { op, operands, params, batch: { count } }: Call<
    Extract<Primitive<unknown>, { lift: (params: unknown, count: number) => unknown }>
  >,
): Tensor {
  return apply(op, operands.map((x) => rowsOf(x, count)), op.lift(params, count));
}

/** Slices at positions that may differ from row to row: the rows lie one behind the other along the axis. */
function batchSlices(call: Call<LookupOp<unknown> | ScatterOp<unknown>>): Tensor {
  const { op, operands, params, batch: { count } } = call;
  const [x, indices, updates] = operands;
  if (!indices!.isMapped) {
    const all = operands.map((own) => own === indices ? own.value : rowsOf(own, count));
    return apply(op, all, op.lift(params, count));
  }
  if (op.kind === "scatter" && op.reduce === "max") return eachRow({ ...call, op });
  const axis = op.axis(params);
  const positions = checkedPositions(call);
  if (!x!.isMapped && updates === undefined) {
    return moveAxis(apply(op, [x!.value, positions], params), axis, 0);
  }
  const extent = x!.shape[axis]!;
  const outer = x!.shape.slice(0, axis);
  const inner = x!.shape.slice(axis + 1);
  const starts = mul(arange(count, { dtype: "int32" }), extent);
  const shifted = add(positions, reshape(starts, [count, ...indices!.shape.map(() => 1)]));
  const behind = reshape(moveAxis(rowsOf(x!, count), 0, axis), [
    ...outer,
    count * extent,
    ...inner,
  ]);
  if (updates === undefined) return moveAxis(apply(op, [behind, shifted], params), axis, 0);
  const added = moveAxis(rowsOf(updates, count), 0, axis);
  const all = apply(op, [behind, shifted, added], params);
  return moveAxis(reshape(all, [...outer, count, extent, ...inner]), axis, 0);
}

/** The positions of all rows, which are looked at before they are moved. */
function checkedPositions(
  { op, operands, inputs, params }: Call<LookupOp<unknown> | ScatterOp<unknown>>,
): Tensor {
  const { value } = operands[1]!;
  const refusal = op.refuses?.(inputs, params, op.infer(inputs, params));
  return refusal === undefined ? value : apply(checkPositionsOp, [value], refusal);
}

/** Positions as they are, where the operation that they are for takes them. */
const checkPositionsOp: CheckOp<Refusal> = check({
  name: "checkPositions",
  forbidden: ({ forbidden }) => forbidden,
  forward(x, { verify }) {
    verify(x);
    return x.data;
  },
});

/** Dense matrices side by side, where they alone differ from row to row. */
function batchSparse(call: Call<SparseProductOp<unknown>>): Tensor {
  const { op, operands, params, batch: { count } } = call;
  const dense = operands[3]!;
  if (operands.some((x) => x.isMapped && x !== dense)) return eachRow(call);
  const [n, k] = dense.shape as [number, number];
  const beside = reshape(moveAxis(dense.value, 0, 1), [n, count * k]);
  const all = apply(op, operands.map((x) => x === dense ? beside : x.value), params);
  return moveAxis(reshape(all, [all.shape[0]!, count, k]), 1, 0);
}

/** Where something must be found, each row must have it. */
function batchCheck(call: Call<CheckOp<unknown>>): Tensor {
  const { op, operands, inputs, params, batch: { count } } = call;
  const refusal = op.refuses?.(inputs, params, op.infer(inputs, params));
  if (refusal?.forbidden.kind === "nothing") return eachRow(call);
  return apply(op, operands.map((x) => rowsOf(x, count)), params);
}

/** Which inputs are mapped, for what is done to them later. */
interface Rows {
  readonly isMapped: readonly boolean[];
  readonly count: number;
  /** The name of the transform, for messages. */
  readonly caller: string;
}

/** A view of rows; nothing but plain values, as programs compare parameters. */
interface RowsView extends Rows {
  readonly params: unknown;
}

function rowsIn({ operands, batch: { count, caller } }: Call<unknown>): Rows {
  return { isMapped: operands.map((x) => x.isMapped), count, caller };
}

function batchView(call: Call<ViewOp<unknown>>): Tensor {
  const { op, operands, params } = call;
  return apply(viewOfRows(op), operands.map((x) => x.value), { params, ...rowsIn(call) });
}

const viewsOfRows = new WeakMap<ViewOp<unknown>, ViewOp<RowsView>>();

/** The view of all rows that a view is of each. */
function viewOfRows(op: ViewOp<unknown>): ViewOp<RowsView> {
  let known = viewsOfRows.get(op);
  if (known === undefined) viewsOfRows.set(op, known = makeViewOfRows(op));
  return known;
}

function makeViewOfRows(op: ViewOp<unknown>): ViewOp<RowsView> {
  const { name, vjp, join } = op;
  const shapeOfRow = (shape: Shape, isMapped: boolean | undefined) =>
    isMapped ? shape.slice(1) : shape;
  const copies: ViewOp<RowsView>["copies"] = (shapes, { params, isMapped, count }, output) => {
    const rows = shapes.map((shape, i) => shapeOfRow(shape, isMapped[i]));
    const row = output.slice(1);
    return op.copies(rows, params, row).map(({ shape, to, from }, i) => ({
      shape: [count, ...shape],
      to: { ...to, strides: [sizeOf(row), ...to.strides] },
      from: { ...from, strides: [isMapped[i] ? sizeOf(rows[i]!) : 0, ...from.strides] },
    }));
  };
  return {
    kind: "view",
    name,
    infer(inputs, { params, isMapped, count }) {
      const rows = inputs.map((x, i) =>
        new Tensor(shapeOfRow(x.shape, isMapped[i]), x.dtype, x.source)
      );
      const { shape, dtype } = op.infer(rows, params);
      return { shape: [count, ...shape], dtype };
    },
    forward(inputs, params, { shape, dtype }) {
      const [first] = inputs as [Tensor];
      const size = sizeOf(shape);
      const all = copies(inputs.map((x) => x.shape), params, shape);
      if (first.size === size && isIdentity(all, size)) return first.data;
      const data = allocate(dtype, size);
      copyAll(data, inputs.map((x) => x.data), all);
      return data;
    },
    copies,
    vjp: vjp &&
      ((g, output, inputs, { params, ...rows }, wanted) =>
        liftVjp(name, vjp, rows)(g, output, inputs, params, wanted)),
    ...join && {
      join: (first, second) => ({ ...second, params: join(first.params, second.params) }),
    },
  };
}

/** An operation with a gradient rule of its own keeps it. */
function batchComposite(call: Call<Composite<unknown>>): Tensor {
  const { op, operands, params, batch } = call;
  if (op.blocks !== undefined) return batchBlocks(call);
  const rows = rowsIn(call);
  const all: Composite<unknown> = {
    name: op.name,
    compose(inputs) {
      const [y] = batch.inner().run(inputs, rows.isMapped, (live) => [op.compose(live, params)]);
      return rowsOf(y!, batch.count);
    },
    vjp: liftVjp(op.name, op.vjp, rows),
  };
  return apply(all, operands.map((x) => x.value), params);
}

/** A gradient rule on all rows, made of one on each; what is the same for all is summed over them. */
function liftVjp<P>(name: string, vjp: Vjp<P>, { isMapped, count, caller }: Rows): Vjp<P> {
  return (g, output, inputs, params, wanted) => {
    const places: number[] = [];
    const found = new BatchTrace(caller, count, batchRule).run(
      [g, output, ...inputs],
      [true, true, ...isMapped],
      ([g, output, ...rows]) =>
        vjp(g!, output!, rows, params, wanted).flatMap((result, i) => {
          if (!wanted[i] || result === null) return [];
          places.push(i);
          return [fitCotangent(name, result, rows[i]!)];
        }),
    );
    const cotangents = inputs.map((): Tensor | null => null);
    places.forEach((i, k) => {
      const own = found[k]!;
      if (isMapped[i]) cotangents[i] = rowsOf(own, count);
      else cotangents[i] = own.isMapped ? sum(own.value, { axis: 0 }) : mul(own.value, count);
    });
    return cotangents;
  };
}
