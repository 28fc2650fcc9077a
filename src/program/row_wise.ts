/**
 * Rows on their own: whether further rows leave what a function makes of the others as it is.
 *
 * @module
 */
import type { ViewCopy } from "../../kernels/layout/reference.ts";
import { sameShape, type Shape, sizeOf } from "../shape.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import { eliminateDeadCode } from "./passes/dead_code.ts";
import { hasSameValues, isSame } from "./row_blocks.ts";

/**
 * Which outputs of a function have rows of their own for the rows that it is given; `undefined` where
 * its operations do not show that further rows change nothing. The function was recorded twice: `few`
 * with `n` rows, `many` with the same ones and others behind them.
 *
 * A value is the same in both, or has the values of `few` first: for each row as many, one row behind
 * the other. Every operation is asked by its kind whether it hands that on. What the function makes of
 * the number of rows itself, be it a divisor, shows as a difference between the recordings.
 */
export function rowWiseOutputs(
  few: Graph,
  many: Graph,
  n: number,
  m: number,
): boolean[] | undefined {
  const both = { few: eliminateDeadCode(few), many: eliminateDeadCode(many), n, m };
  return areRowWise(both) ? few.outputs.map((id) => hasRows(id, both) === true) : undefined;
}

/** The same function with few rows and with many, and the numbers of rows. */
interface Recordings {
  few: Graph;
  many: Graph;
  n: number;
  m: number;
}

/** Whether a value has rows; `undefined` where it is neither the same nor only longer. */
function hasRows(id: ValueId, both: Recordings): boolean | undefined {
  const [few, many] = [both.few.values[id]!, both.many.values[id]!];
  if (few.dtype !== many.dtype) return undefined;
  if (sameShape(few.shape, many.shape)) return false;
  const [first = 0, ...rest] = few.shape;
  const [longer = 0, ...others] = many.shape;
  const fits = first % both.n === 0 && first * both.m === longer * both.n;
  return fits && sameShape(rest, others) ? true : undefined;
}

function areRowWise(both: Recordings): boolean {
  const { few, many } = both;
  const outlineOf = ({ inputs, outputs, steps, constants }: Graph) => {
    const done = steps.map((step) => [step.op, step.inputs, step.output]);
    return [inputs, outputs, done, [...constants.keys()]];
  };
  return isSame(outlineOf(few), outlineOf(many)) &&
    [...few.inputs, ...few.outputs, ...few.constants.keys()].every((id) =>
      hasRows(id, both) !== undefined
    ) &&
    [...few.constants].every(([id, constant]) =>
      hasSameValues(constant, many.constants.get(id)!)
    ) &&
    few.steps.every((step, i) => keepsRows(step, many.steps[i]!, both));
}

/** Whether a step makes of values that are the same, or only longer, another such value. */
function keepsRows(step: Step, other: Step, both: Recordings): boolean {
  const { op, inputs, params, output } = step;
  const [rows, isLonger] = [inputs.map((id) => hasRows(id, both)), hasRows(output, both)];
  if (isLonger === undefined || rows.includes(undefined)) return false;
  if (!isLonger && !rows.includes(true)) return isSame(params, other.params);
  if (op.kind === "view" || op.kind === "product") return movesRows(step, other, isLonger, both);
  if (!isLonger) return false;
  const same = <T>(factsOf: (params: unknown) => T, hold: (facts: T) => boolean) =>
    isSame(factsOf(params), factsOf(other.params)) && hold(factsOf(params));
  const isBehind = (axis: number) => axis > 0;
  const [first, ...others] = rows as boolean[];
  switch (op.kind) {
    case "map":
    case "check":
      return isSame(params, other.params) && alignsRows(step, both);
    case "reduce":
      return same(op.over, ({ axes }) => axes.every(isBehind));
    case "sort":
      return same(op.order, ({ axes }) => axes.every(isBehind));
    case "cumulative":
      return rows.every(Boolean) && same(op.along, ({ axis }) => isBehind(axis));
    case "lookup":
      return same(
        op.axis,
        (axis) => first ? isBehind(axis) && others[0] === (op.by === "value") : axis === 0,
      );
    case "scatter":
      return first! && same(op.axis, isBehind) && others.at(-1)! &&
        (op.by === "value" || !others[0]);
    case "sparseProduct":
    case "random":
    case "loop":
    case "opaque":
      return false;
  }
}

/** Whether the rows of inputs that have some meet those of the output. */
function alignsRows({ inputs, output }: Step, both: Recordings): boolean {
  const { values } = both.few;
  const { shape } = values[output]!;
  return inputs.every((id) => {
    const own = values[id]!.shape;
    return !hasRows(id, both) || (own.length === shape.length && own[0] === shape[0]);
  });
}

/** Whether each row's values, or products, are put where that row is, and all rows' alike. */
function movesRows(step: Step, other: Step, isLonger: boolean, both: Recordings): boolean {
  const [few, many] = [copiesOf(step, both.few), copiesOf(other, both.many)];
  // What is no longer reads rows that are there in both.
  if (!isLonger) return isSame(few, many);
  const ofOne = (graph: Graph, copies: readonly ViewCopy[], count: number) => {
    const size = (id: ValueId) => sizeOf(graph.values[id]!.shape) / count;
    return copies.map((copy, i) => {
      const id = step.inputs[i]!;
      return rowCopy(copy, count, size(step.output), hasRows(id, both) ? size(id) : 0);
    });
  };
  const rows = ofOne(both.few, few, both.n);
  const longer = ofOne(both.many, many, both.m);
  // Both operands of a product have rows along the same axis.
  const meet = step.op.kind === "view" || isSame(longer[0]?.shape, longer[1]?.shape);
  return meet && !rows.includes(undefined) && isSame(rows, longer);
}

/** Where a view's values come from and go; or those that a product multiplies, all pairs of them. */
function copiesOf({ op, inputs, params, output }: Step, { values }: Graph): readonly ViewCopy[] {
  const shapes = inputs.map((id): Shape => values[id]!.shape);
  if (op.kind === "view") return op.copies(shapes, params, values[output]!.shape);
  if (op.kind !== "product") return [];
  const { outer, m, k, n, a, b, out } = op.layout(shapes, params);
  const place = ({ offset, strides }: ViewCopy["to"], [rows, columns, inner]: number[]) => ({
    offset,
    strides: [...strides.slice(0, -2), rows!, columns!, inner!],
  });
  const last = ({ strides }: ViewCopy["to"]) => strides.slice(-2) as [number, number];
  const [shape, to] = [[...outer, m, n, k], place(out, [...last(out), 0])];
  return [
    { shape, to, from: place(a, [last(a)[0], 0, last(a)[1]]) },
    { shape, to, from: place(b, [0, last(b)[1], last(b)[0]]) },
  ];
}

/**
 * What is copied for one row, where a copy does the same for all, one of `to` elements behind the
 * other, and stays within the row; of `from` elements, or 0 where all rows read the same.
 */
function rowCopy(copy: ViewCopy, rows: number, to: number, from: number): ViewCopy | undefined {
  const axis = copy.shape.findIndex((extent, i) =>
    extent % rows === 0 && extent > 0 && copy.to.strides[i]! * (extent / rows) === to &&
    copy.from.strides[i]! * (extent / rows) === from
  );
  if (axis < 0) return undefined;
  const shape = copy.shape.map((extent, i) => i === axis ? extent / rows : extent);
  const isWithin = ({ offset, strides }: ViewCopy["to"], size: number) => {
    const ends = strides.map((stride, i) => stride * (shape[i]! - 1));
    const reach = (pick: (end: number) => number) => ends.reduce((sum, e) => sum + pick(e), offset);
    return reach((end) => Math.min(0, end)) >= 0 && reach((end) => Math.max(0, end)) < size;
  };
  const fits = isWithin(copy.to, to) && (from === 0 || isWithin(copy.from, from));
  return fits ? { ...copy, shape } : undefined;
}
