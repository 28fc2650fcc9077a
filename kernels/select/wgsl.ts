/**
 * Picking and adding up along the middle axis of an (outer, count, inner) array in WGSL.
 *
 * Nothing is added atomically: every sum is of the same values in the same order at every run.
 * Positions are not checked: what lies outside of the axis is undefined, but harms nothing else.
 *
 * @module
 */
import { type Combination, combinationOf } from "../wgsl/combine.ts";
import {
  type Binding,
  createKernel,
  groupsFor,
  MOST_ROUNDS,
  PlanDraft,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import { sortPairs } from "./wgsl_sort.ts";
import { spaceOver } from "../elementwise/wgsl_space.ts";
import type { AxisExtents } from "../../src/shape.ts";

/** Up to so many positions are looked through for each sum, instead of sorted first. */
const FEW = 32;

/** Invocations that share a long sum. */
const LANES = 64;

/** The most sums for which it pays to share each among invocations. */
const MOST_SHARED = 2 ** 16;

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

/** What is added up, and where. */
export interface ScatterDraft {
  /** The name of the kernel. */
  readonly name: string;
  /** The type of what is added. */
  readonly element: WgslElement;
  /** The result: the axis and what is around it. */
  readonly around: AxisExtents;
  /** How many values there are along the axis to add. */
  readonly picked: number;
  /** What values at one position amount to. */
  readonly reduce: "sum" | "max";
  /** Whole slices by one position each, or each value by its own. */
  readonly by: "slice" | "value";
  /** What is added, where it is not slices as they are. */
  readonly terms?: ScatterTerms | undefined;
}

/** Values that are made of several inputs. */
export interface ScatterTerms {
  readonly inputs: readonly Binding[];
  /** The value of an entry at a place behind the axis. */
  readonly value: (entry: string, behind: string) => string;
}

/** Whether sums start from an input, `x`, rather than from 0. */
function hasBase({ by, reduce, terms }: ScatterDraft): boolean {
  return by === "slice" && reduce === "sum" && terms === undefined;
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

/**
 * What the values at each position amount to. Inputs: the base where there is one, the values, and
 * the positions: all are looked through, or sorted keys, where the stretch of each is found by
 * bisection, and the places that they came from.
 */
function segmentsKernel(draft: ScatterDraft, isSorted: boolean): WgslKernel {
  const { name, element, around: { outer, count, inner }, picked, by, reduce } = draft;
  const type = WGSL_TYPES[element];
  const combination = combinationOf(reduce, element);
  const size = outer * count * inner;
  const isLong = isSorted &&
    (picked > MOST_ROUNDS || picked >= LANES * count && size <= MOST_SHARED);
  const { inputs: values, value: term } = draft.terms ?? {
    inputs: [{ name: "updates", type }],
    value: (entry, behind) => `updates[(slice * ${picked}u + ${entry}) * ${inner}u + ${behind}]`,
  } satisfies ScatterTerms;
  const head = headOf(draft, isLong ? "group" : "index", combination.start, isSorted);
  const at = isSorted || by === "slice" ? "row + p" : `(row + p) * ${inner}u + behind`;
  const value = term(isSorted ? "places[row + p]" : "p", "behind");
  return createKernel({
    name: `${name} sums`,
    inputs: [
      ...(hasBase(draft) ? [{ name: "x", type }] : []),
      ...values,
      ...(isSorted
        ? [{ name: "keys", type: "u32" }, { name: "places", type: "u32" }] as const
        : [{ name: "keys", type: "i32" }] as const),
    ],
    outputs: [{ name: "y", type }],
    groups: isLong ? size : groupsFor(size),
    declarations: `${combination.declarations}
${isLong ? `var<workgroup> parts: array<${type}, ${LANES}>;` : ""}
${isSorted ? lowerBound(picked) : ""}`,
    body: isLong
      ? sharedBody(head, combination, value, picked)
      : `if (index >= ${size}u) { return; }
${head}
var sum = base;
for (var p = first; p < ${picked}u; p++) {
  if (keys[${at}] != key) { ${isSorted ? "break" : "continue"}; }
  sum = ${combination.combine("sum", value)};
}
y[index] = sum;`,
  });
}

function lowerBound(picked: number): string {
  return `fn lowerBound(row: u32, key: u32) -> u32 {
  var low = 0u;
  var high = ${picked}u;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (keys[row + middle] < key) { low = middle + 1u; } else { high = middle; }
  }
  return low;
}`;
}

/** Where the sum of a number is, where its positions are, and what it starts from. */
function headOf(draft: ScatterDraft, number: string, start: string, isSorted: boolean): string {
  const { around: { count, inner }, picked, by } = draft;
  const place = `${number} / ${inner}u % ${count}u`;
  const row = `${isSorted ? `(slice * ${inner}u + behind)` : "slice"} * ${picked}u`;
  return `let slice = ${number} / ${count * inner}u;
let key = ${isSorted ? `(${place}) ^ 0x80000000u` : `i32(${place})`};
let behind = ${number} % ${inner}u;
let row = ${by === "slice" ? "0u" : row};
let base = ${hasBase(draft) ? `x[${number}]` : start};
let first = ${isSorted ? "lowerBound(row, key)" : "0u"};`;
}

/** Each workgroup: one sum, of as many parts as it has invocations. */
function sharedBody(
  head: string,
  { start, combine }: Combination,
  value: string,
  picked: number,
): string {
  return `${head}
let last = lowerBound(row, key + 1u);
let part = (last - first + ${LANES - 1}u) / ${LANES}u;
let start = first + lane * part;
var sum = ${start};
for (var p = start; p < min(start + part, min(last, ${picked}u)); p++) {
  sum = ${combine("sum", value)};
}
parts[lane] = sum;
for (var half = ${LANES / 2}u; half > 0u; half /= 2u) {
  workgroupBarrier();
  if (lane < half) { parts[lane] = ${combine("parts[lane]", "parts[lane + half]")}; }
}
if (lane == 0u) { y[group] = ${combine("base", "parts[0]")}; }`;
}
