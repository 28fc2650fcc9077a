/**
 * Sums and maxima of the values at each position.
 *
 * @module
 */
import {
  type Binding,
  createKernel,
  groupsFor,
  MOST_ROUNDS,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
} from "../wgsl/kernel.ts";
import { type Combination, combinationOf } from "../wgsl/combine.ts";
import type { AxisExtents } from "../../src/shape.ts";

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
export function hasBase({ by, reduce, terms }: ScatterDraft): boolean {
  return by === "slice" && reduce === "sum" && terms === undefined;
}

/** Invocations that share a long sum. */
const LANES = 64;

/** The most sums for which it pays to share each among invocations. */
const MOST_SHARED = 2 ** 16;

/**
 * What the values at each position amount to. Inputs: the base where there is one, the values, and
 * the positions: all are looked through, or sorted keys, where the stretch of each is found by
 * bisection, and the places that they came from.
 */
export function segmentsKernel(draft: ScatterDraft, isSorted: boolean): WgslKernel {
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
  const number = isLong ? "group" : "index";
  const place = `${number} / ${inner}u % ${count}u`;
  const row = `${isSorted ? `(slice * ${inner}u + behind)` : "slice"} * ${picked}u`;
  const head = `let slice = ${number} / ${count * inner}u;
let key = ${isSorted ? `(${place}) ^ 0x80000000u` : `i32(${place})`};
let behind = ${number} % ${inner}u;
let row = ${by === "slice" ? "0u" : row};
let base = ${hasBase(draft) ? `x[${number}]` : combination.start};
let first = ${isSorted ? "lowerBound(row, key)" : "0u"};`;
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
