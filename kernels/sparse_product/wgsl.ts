/**
 * Products of sparse matrices with dense ones in WGSL: sums of the entries of each row, which are
 * sorted before. Positions are not checked: what lies outside is undefined, but harms nothing else.
 *
 * @module
 */
import { sumSortedKernel } from "../select/wgsl_segments.ts";
import { PlanDraft, sortPairs } from "../select/wgsl_sort.ts";
import { WGSL_TYPES, type WgslElement, type WgslPlan } from "../wgsl/kernel.ts";

/**
 * `y[rows[e], :] += values[e] · table[columns[e], :]`, one entry after the other. Inputs: the values,
 * the rows and columns (int32), the table.
 */
export function sparseProductPlan(
  element: WgslElement,
  entries: number,
  [count, inner]: readonly [number, number],
): WgslPlan {
  const type = WGSL_TYPES[element];
  const draft = new PlanDraft(5);
  const line = { outer: 1, count: entries, inner: 1 };
  const pairs = sortPairs(draft, 1, "int32", line, { descending: false, kept: entries });
  const kernel = sumSortedKernel({
    ...{ name: "sparseProduct", element, around: { outer: 1, count, inner }, picked: entries },
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
  });
  draft.add(kernel, [0, 2, 3, ...pairs], [4]);
  return draft.plan();
}
