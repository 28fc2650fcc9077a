/**
 * The first few pairs of a key and a place, in order, without sorting the rest.
 *
 * The last pair that is wanted is found digit by digit: counts of how often each digit occurs tell
 * which one it has. Counting is done atomically, on whole numbers, so the counts do not depend on
 * who comes first; where pairs are put does, but they are sorted afterwards.
 *
 * @module
 */
import { createKernel, indent, MOST_ROUNDS, type WgslKernel } from "../wgsl/kernel.ts";
import { declareNetwork, keyFunction, sortPairs, type SortRows } from "./wgsl_network.ts";

/** The most pairs that can be asked for. */
export const MOST_FIRST = 512;

/** Invocations of a workgroup; each adds up the counts of four of the 256 digits. */
const LANES = 64;

/** The longest rows: a workgroup goes over each eight times, for digits of keys and of places. */
export const LONGEST: number = MOST_ROUNDS * LANES / 8;

/**
 * Stores the first `kept` pairs of every row, at most {@linkcode MOST_FIRST}. Inputs: the values;
 * outputs: keys and places.
 */
export function firstPairsKernel(given: Required<SortRows>, kept: number): WgslKernel {
  const { rows, length, source } = given;
  const held = Math.max(2, 2 ** Math.ceil(Math.log2(kept)));
  const placeDigits = Math.ceil(Math.log2(length + 1) / 8);
  return createKernel({
    name: "sort first",
    inputs: [{ name: "x", type: "u32" }],
    outputs: [{ name: "keysOut", type: "u32" }, { name: "placesOut", type: "u32" }],
    groups: rows,
    workgroupSize: LANES,
    declarations: `${declareNetwork(held)}\n${keyFunction(source)}\n${COUNTING}`,
    body: `let row = group;
for (var e = lane; e < ${held}u; e += ${LANES}u) {
  keys[e] = 0xffffffffu;
  places[e] = 0xffffffffu;
}
if (lane == 0u) { wanted = ${kept}u; }
${findDigits(given, 4, "true", "key")}
let last = found;
// Of equal keys, the first places are taken.
var limit = 0xffffffffu;
if (workgroupUniformLoad(&occurring) > workgroupUniformLoad(&wanted)) {
${indent(findDigits(given, placeDigits, "key == last", "place"))}
  limit = found;
}
for (var place = lane; place < ${length}u; place += ${LANES}u) {
  let key = keyOf(x[${source.at}]);
  if (key < last || (key == last && place <= limit)) {
    let slot = atomicAdd(&taken, 1u);
    keys[slot] = key;
    places[slot] = place;
  }
}
workgroupBarrier();
${sortPairs(held, held, LANES)}
for (var e = lane; e < ${kept}u; e += ${LANES}u) {
  keysOut[row * ${kept}u + e] = keys[e];
  placesOut[row * ${kept}u + e] = places[e];
}`,
  });
}

/** The counts, and the digits, number and position that they lead to. */
const COUNTING = `var<workgroup> counts: array<atomic<u32>, 256>;
var<workgroup> sums: array<u32, ${LANES}>;
var<workgroup> taken: atomic<u32>;
// The digits found so far, how many pairs that start with them are wanted, and how many there are.
var<workgroup> found: u32;
var<workgroup> wanted: u32;
var<workgroup> occurring: u32;

// Appends the digit that the last of the pairs that are wanted has to those that were found.
fn findDigit(lane: u32) {
  var own = 0u;
  for (var d = 0u; d < 4u; d++) { own += atomicLoad(&counts[4u * lane + d]); }
  sums[lane] = own;
  workgroupBarrier();
  var below = 0u;
  for (var i = 0u; i < lane; i++) { below += sums[i]; }
  let rank = wanted;
  workgroupBarrier();
  if (below < rank && rank <= below + own) {
    var digit = 4u * lane;
    var here = atomicLoad(&counts[digit]);
    while (below + here < rank) {
      below += here;
      digit++;
      here = atomicLoad(&counts[digit]);
    }
    found = (found << 8u) | digit;
    wanted = rank - below;
    occurring = here;
  }
  workgroupBarrier();
}
`;

/**
 * Finds the digits of a number of the last pair that is wanted, `key` or `place`, the uppermost
 * first, among the pairs for which a condition holds.
 */
function findDigits(
  { length, source }: Required<SortRows>,
  digits: number,
  condition: string,
  number: "key" | "place",
): string {
  return `if (lane == 0u) { found = 0u; }
for (var digit = 0u; digit < ${digits}u; digit++) {
  let shift = ${8 * (digits - 1)}u - 8u * digit;
  for (var d = lane; d < 256u; d += ${LANES}u) { atomicStore(&counts[d], 0u); }
  workgroupBarrier();
  for (var place = lane; place < ${length}u; place += ${LANES}u) {
    let key = keyOf(x[${source.at}]);
    let digits = ${number} >> shift;
    if (${condition} && (digit == 0u || (digits >> 8u) == found)) {
      atomicAdd(&counts[digits & 0xffu], 1u);
    }
  }
  workgroupBarrier();
  findDigit(lane);
}`;
}
