/**
 * The kernels of bitonic networks on pairs of a key and a place.
 *
 * Every merge first compares mirrored pairs, so that all blocks are sorted in one direction, and
 * what lies behind the end of a row counts as larger than anything.
 *
 * @module
 */
import {
  createKernel,
  groupsFor,
  indent,
  type WgslElement,
  type WgslKernel,
} from "../wgsl/kernel.ts";
import type { SortOrder } from "./reference.ts";

/** The most pairs that a workgroup sorts: two words each in the 16 KiB that every adapter has. */
export const MOST_PAIRS = 2048;

/** Invocations of a workgroup, two pairs or more each. */
const LANES = 128;

/** Rows to sort. */
export interface SortRows {
  /** How many there are. */
  readonly rows: number;
  /** How many pairs each has. */
  readonly length: number;
  /** Values to make keys of; without them, stored blocks are merged in place. */
  readonly source?: SortSource;
}

/** Values to sort. */
export interface SortSource {
  /** The type of the values. */
  readonly element: WgslElement;
  /** Where the value at `place` in `row` lies. */
  readonly at: string;
  /** Their order. */
  readonly order: SortOrder;
}

/**
 * Sorts blocks of rows in workgroup memory, several rows per workgroup where they are short. Of each
 * row, `width` pairs are stored.
 */
export function blockKernel(rows: SortRows, width: number): WgslKernel {
  const { length, source } = rows;
  const block = Math.min(MOST_PAIRS, Math.max(2, 2 ** Math.ceil(Math.log2(length))));
  const held = Math.max(block, 2 * LANES);
  const chunks = Math.ceil(length / block);
  const locate = `let unit = group * ${held / block}u + e / ${block}u;
let row = unit / ${chunks}u;
let chunk = unit % ${chunks}u;
let within = e % ${block}u;
let place = chunk * ${block}u + within;`;
  return createKernel({
    name: source === undefined ? "sort merge" : "sort blocks",
    inputs: source === undefined ? [] : [{ name: "x", type: "u32" }],
    outputs: [{ name: "keysOut", type: "u32" }, { name: "placesOut", type: "u32" }],
    groups: groupsFor(rows.rows * chunks, held / block),
    workgroupSize: LANES,
    declarations: [declareNetwork(held), ...(source === undefined ? [] : [keyFunction(source)])]
      .join("\n"),
    body: `for (var e = lane; e < ${held}u; e += ${LANES}u) {
${indent(locate)}
${indent(loadPair(rows))}
}
workgroupBarrier();
${source === undefined ? mergePairs(held, `${block / 2}u`, LANES) : sortPairs(held, block, LANES)}
for (var e = lane; e < ${held}u; e += ${LANES}u) {
${indent(locate)}
${indent(storePair(rows, width))}
}`,
  });
}

function loadPair({ rows, length, source }: SortRows): string {
  const load = source === undefined
    ? `keys[e] = keysOut[row * ${length}u + place];
  places[e] = placesOut[row * ${length}u + place];`
    : `keys[e] = keyOf(x[${source.at}]);
  places[e] = place;`;
  return `if (row < ${rows}u && place < ${length}u) {
  ${load}
} else {
  keys[e] = 0xffffffffu;
  places[e] = 0xffffffffu;
}`;
}

function storePair({ rows }: SortRows, width: number): string {
  return `if (row < ${rows}u && place < ${width}u) {
  keysOut[row * ${width}u + place] = keys[e];
  placesOut[row * ${width}u + place] = places[e];
}`;
}

/** Keys that sort as the values do: NaN last, or first, both zeros alike. */
export function keyFunction({ element, order: { descending, nanFirst } }: SortSource): string {
  const key = {
    float32: `select(value | 0x80000000u, ~value, value >> 31u == 1u)`,
    int32: `value ^ 0x80000000u`,
    bool: `value`,
  }[element];
  const special = element !== "float32" ? "" : `
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return ${nanFirst ? "0u" : "0xffffffffu"}; }
  value = select(bits, 0u, bits == 0x80000000u);`;
  return `fn keyOf(bits: u32) -> u32 {
  var value = bits;${special}
  return ${descending ? `~(${key})` : key};
}`;
}

/** The pairs that a workgroup holds. */
export function declareNetwork(held: number): string {
  return `var<workgroup> keys: array<u32, ${held}>;
var<workgroup> places: array<u32, ${held}>;
${compareFunction("keys", "places")}`;
}

/** Exchanges two pairs that are in the wrong order. */
function compareFunction(keys: string, places: string): string {
  return `fn compare(i: u32, j: u32) {
  let k = ${keys}[i];
  let l = ${keys}[j];
  let p = ${places}[i];
  let q = ${places}[j];
  if (k > l || (k == l && p > q)) {
    ${keys}[i] = l;
    ${keys}[j] = k;
    ${places}[i] = q;
    ${places}[j] = p;
  }
}`;
}

/** Sorts all blocks of pairs that a workgroup of so many lanes holds. */
export function sortPairs(held: number, block: number, lanes: number): string {
  return `for (var size = 2u; size <= ${block}u; size *= 2u) {
  for (var t = lane; t < ${held / 2}u; t += ${lanes}u) {
    let start = t / (size / 2u) * size;
    let at = t % (size / 2u);
    compare(start + at, start + size - 1u - at);
  }
  workgroupBarrier();
${indent(mergePairs(held, "size / 4u", lanes))}
}`;
}

/** Compares pairs at distances from the first one on down to 1. */
function mergePairs(held: number, firstStride: string, lanes: number): string {
  return `for (var stride = ${firstStride}; stride > 0u; stride /= 2u) {
  for (var t = lane; t < ${held / 2}u; t += ${lanes}u) {
    let i = t / stride * stride * 2u + t % stride;
    compare(i, i + stride);
  }
  workgroupBarrier();
}`;
}

/** One step of a merge to sorted blocks of `size`, in memory: mirrored pairs first. */
export function stepKernel(
  rows: number,
  length: number,
  size: number,
  stride: number,
): WgslKernel {
  const half = groupsFor(length, 2 * stride) * stride;
  const partner = stride === size / 2 ? `start + ${size - 1}u - at` : `start + ${stride}u + at`;
  return createKernel({
    name: `sort step ${size}/${stride}`,
    inputs: [],
    outputs: [{ name: "keysOut", type: "u32" }, { name: "placesOut", type: "u32" }],
    groups: groupsFor(rows * half),
    declarations: compareFunction("keysOut", "placesOut"),
    body: `let row = index / ${half}u;
let start = index % ${half}u / ${stride}u * ${2 * stride}u;
let at = index % ${stride}u;
let partner = ${partner};
if (row < ${rows}u && partner < ${length}u) {
  compare(row * ${length}u + start + at, row * ${length}u + partner);
}`,
  });
}
