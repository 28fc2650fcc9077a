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
  PlanDraft,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import { hasBase, type ScatterDraft, type ScatterTerms, segmentsKernel } from "./wgsl_segments.ts";
import { sortPairs } from "./wgsl_sort.ts";
import { spaceOver } from "../elementwise/wgsl_space.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** Up to so many positions are looked through for each sum, instead of sorted first. */
const FEW = 32;

/**
 * Whole slices, `y[o, k, :] = x[o, indices[k], :]`, or single values,
 * `y[o, k, j] = x[o, indices[o, k, j], j]`. Inputs: x, the indices (int32), `picked` along the axis.
 */
export function gatherKernel(
  by: "slice" | "value",
  element: WgslElement,
  { outer, count, inner }: AxisExtents,
  picked: number,
): WgslKernel {
  const size = outer * picked * inner;
  const place = by === "slice" ? `index / ${inner}u % ${picked}u` : "index";
  return createKernel({
    name: by === "slice" ? "gather" : "takeAlongAxis",
    inputs: [{ name: "x", type: WGSL_TYPES[element] }, { name: "indices", type: "i32" }],
    outputs: [{ name: "y", type: WGSL_TYPES[element] }],
    groups: groupsFor(size),
    body: `if (index >= ${size}u) { return; }
let origin = index / ${inner * picked}u * ${count}u + u32(indices[${place}]);
y[index] = x[origin${inner === 1 ? "" : ` * ${inner}u + index % ${inner}u`}];`,
  });
}

/**
 * What slices or single values at one position amount to, one after the other. Inputs: of sums of
 * slices what they are added to, before and behind the indices (int32); else the values, the indices.
 * Where positions are many, they are sorted before.
 */
export function scatterPlan(draft: ScatterDraft): WgslPlan {
  const { around: { outer, inner }, by, picked, terms } = draft;
  const added = terms !== undefined ? [0, 2, 3] : hasBase(draft) ? [0, 2] : [0];
  const plan = new PlanDraft(added.length + 2);
  const outputs = [added.length + 1];
  if (picked <= FEW) {
    plan.add(segmentsKernel(draft, false), [...added, 1], outputs);
    return plan;
  }
  const positions = by === "slice" ? [1, picked, 1] : [outer, picked, inner];
  const order = { descending: false, kept: picked, nanFirst: false };
  const { keys, places } = sortPairs(plan, 1, "int32", spaceOver(positions, [1]), order);
  plan.add(segmentsKernel(draft, true), [...added, keys, places], outputs);
  return plan;
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
  const terms: ScatterTerms = {
    inputs: [
      { name: "values", type },
      { name: "columns", type: "i32" },
      { name: "table", type },
    ],
    value: (entry, behind) =>
      `values[${entry}] * table[u32(columns[${entry}]) * ${inner}u + ${behind}]`,
  };
  const around = { outer: 1, count, inner };
  return scatterPlan({
    ...{ name: "sparseProduct", element, around, picked, by: "slice", reduce: "sum", terms },
  });
}
