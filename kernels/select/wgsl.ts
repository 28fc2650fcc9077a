/**
 * Picking and adding up along the middle axis of an (outer, count, inner) array in WGSL.
 *
 * Nothing is added atomically: every sum is of the same values in the same order at every run.
 * Positions are not checked: what lies outside of the axis is undefined, but harms nothing else.
 *
 * @module
 */
import {
  createKernel,
  groupsFor,
  planOf,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import { combinationOf, type ScatterDraft, sumSortedKernel } from "./wgsl_segments.ts";
import { PlanDraft, sortPairs } from "./wgsl_sort.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** Up to so many positions are looked through for each sum, instead of sorted first. */
const FEW = 32;

/** Whole slices: `y[o, k, :] = x[o, indices[k], :]`. Inputs: x, the `picked` indices (int32). */
export function gatherKernel(
  element: WgslElement,
  { outer, count, inner }: AxisExtents,
  picked: number,
): WgslKernel {
  const place = `index / ${inner}u % ${picked}u`;
  return pickKernel("gather", element, outer * picked * inner, `index / ${inner * picked}u`, {
    count,
    inner,
    place,
  });
}

/** Single values: `y[o, k, j] = x[o, indices[o, k, j], j]`. Inputs: x, indices (int32). */
export function takeAlongAxisKernel(
  element: WgslElement,
  { outer, count, inner }: AxisExtents,
  picked: number,
): WgslKernel {
  const size = outer * picked * inner;
  return pickKernel("takeAlongAxis", element, size, `index / ${inner * picked}u`, {
    count,
    inner,
    place: "index",
  });
}

function pickKernel(
  name: string,
  element: WgslElement,
  size: number,
  outer: string,
  { count, inner, place }: { count: number; inner: number; place: string },
): WgslKernel {
  return createKernel({
    name,
    inputs: [{ name: "x", type: WGSL_TYPES[element] }, { name: "indices", type: "i32" }],
    outputs: [{ name: "y", type: WGSL_TYPES[element] }],
    groups: groupsFor(size),
    body: `if (index >= ${size}u) { return; }
let origin = ${outer} * ${count}u + u32(indices[${place}]);
y[index] = x[origin${inner === 1 ? "" : ` * ${inner}u + index % ${inner}u`}];`,
  });
}

/**
 * Slices added at their positions: `y = x`, then `y[o, indices[k], :] += updates[o, k, :]` for one k
 * after the other. Inputs: x, the `picked` indices (int32), updates.
 */
export function scatterAddPlan(
  element: WgslElement,
  around: AxisExtents,
  picked: number,
): WgslPlan {
  return slicesPlan({
    ...{ name: "scatterAdd", element, around, picked, reduce: "sum" },
    ...{ hasBase: true, isShared: true },
  });
}

/**
 * The largest slices at their positions: `y[o, indices[k], :] = max(…, x[o, k, :])`, the lowest number
 * where there is none. Inputs: x, the `picked` indices (int32).
 */
export function maxSlicesPlan(
  element: WgslElement,
  around: AxisExtents,
  picked: number,
): WgslPlan {
  return slicesPlan({
    ...{ name: "segmentMax", element, around, picked, reduce: "max" },
    ...{ hasBase: false, isShared: true },
  });
}

/** Slices at shared positions, which are sorted where there are many. */
function slicesPlan(sums: ScatterDraft): WgslPlan {
  if (sums.picked <= FEW) return planOf(sumFewKernel(sums));
  return sums.hasBase ? sortedPlan(sums, [0, 2], 3) : sortedPlan(sums, [0], 2);
}

/** What is added at the positions in the second input, which are sorted before. */
function sortedPlan(sums: ScatterDraft, added: readonly number[], inputs: number): WgslPlan {
  const draft = new PlanDraft(inputs + 1);
  const row = { outer: 1, count: sums.picked, inner: 1 };
  const pairs = sortPairs(draft, 1, "int32", row, { descending: false, kept: sums.picked });
  draft.add(sumSortedKernel(sums), [...added, ...pairs], [inputs]);
  return draft.plan();
}

/**
 * A sparse matrix times a dense one: `y[rows[e], :] += values[e] · table[columns[e], :]` for one entry
 * after the other. Inputs: the values, the rows and columns (int32), the table.
 */
export function sparseProductPlan(
  element: WgslElement,
  picked: number,
  [count, inner]: readonly [number, number],
): WgslPlan {
  const type = WGSL_TYPES[element];
  const sums: ScatterDraft = {
    ...{ name: "sparseProduct", element, around: { outer: 1, count, inner }, picked },
    ...{ hasBase: false, reduce: "sum", isShared: true },
    terms: {
      inputs: [
        { name: "values", type },
        { name: "columns", type: "i32" },
        { name: "table", type },
      ],
      value: (entry, behind) =>
        `values[${entry}] * table[u32(columns[${entry}]) * ${inner}u + ${behind}]`,
    },
  };
  return sortedPlan(sums, [0, 2, 3], 4);
}

/**
 * Single values added at their positions in zeros: `y[o, indices[o, k, j], j] += x[o, k, j]` for one
 * k after the other. Inputs: x, indices (int32), both with an axis of `picked`.
 */
export function putAlongAxisPlan(
  element: WgslElement,
  around: AxisExtents,
  picked: number,
): WgslPlan {
  const sums: ScatterDraft = {
    ...{ name: "putAlongAxis", element, around, picked, reduce: "sum" },
    ...{ hasBase: false, isShared: false },
  };
  if (picked <= FEW) return planOf(sumFewKernel(sums));
  const draft = new PlanDraft(3);
  const rows = { ...around, count: picked };
  const pairs = sortPairs(draft, 1, "int32", rows, { descending: false, kept: picked });
  draft.add(sumSortedKernel(sums), [0, ...pairs], [2]);
  return draft.plan();
}

/** Each sum looks through all positions. */
function sumFewKernel(draft: ScatterDraft): WgslKernel {
  const { name, element, around: { outer, count, inner }, picked, hasBase, isShared } = draft;
  const type = WGSL_TYPES[element];
  const { start, combine, declarations } = combinationOf(draft);
  const size = outer * count * inner;
  const from = `(slice * ${picked}u + k) * ${inner}u + behind`;
  const values = { name: "updates", type };
  const indices = { name: "indices", type: "i32" } as const;
  return createKernel({
    name,
    inputs: hasBase ? [{ name: "x", type }, indices, values] : [values, indices],
    outputs: [{ name: "y", type }],
    groups: groupsFor(size),
    declarations,
    body: `if (index >= ${size}u) { return; }
let slice = index / ${count * inner}u;
let place = i32(index / ${inner}u % ${count}u);
let behind = index % ${inner}u;
var sum = ${hasBase ? "x[index]" : start};
for (var k = 0u; k < ${picked}u; k++) {
  if (indices[${isShared ? "k" : from}] == place) { sum = ${combine("sum", `updates[${from}]`)}; }
}
y[index] = sum;`,
  });
}
