/**
 * Looks for values that are not allowed, as WGSL: the first of them is noted, to be told of later.
 *
 * @module
 */
import { createKernel, type WgslKernel, type WgslType } from "../../../kernels/wgsl/kernel.ts";

/** What to look for. */
export interface WgslCheck {
  /** The type of the elements. */
  readonly type: WgslType;
  /** How many there are. */
  readonly count: number;
  /** Whether `x` is one of those that are looked for. */
  readonly predicate: string;
  /** What is to be noted: the first one that is found, or that there is none. */
  readonly wanted: "first" | "none";
  /** Whether only those count that a mask selects. */
  readonly masked?: boolean;
  /** Whether there is nothing to find unless a flag, of float32, is not 0. */
  readonly flagged?: boolean;
  /** How many loops around may have ended, after which nothing is noted. */
  readonly loops?: number;
  /** The number of the note. */
  readonly note: number;
}

/** Invocations that look side by side. */
const LANES = 256;

/**
 * Notes the position, counted from 1, and the bits of the first value that is found, or position 1
 * where there should be some and is none. An earlier note stays. Inputs: the values, and where
 * there are some the mask, the flag, and whether loops go on; output: the notes, two words each.
 */
export function checkKernel(check: WgslCheck): WgslKernel {
  const { type, count, predicate, wanted, masked = false, flagged = false, loops = 0, note } =
    check;
  const isBad = wanted === "first" ? `first < ${count}u` : `first >= ${count}u`;
  const position = wanted === "first" ? "first" : "0u";
  const value = wanted === "first" ? "bitcast<u32>(values[first])" : "0u";
  const conditions = Array.from({ length: loops }, (_, i) => `goes_on${i}`);
  return createKernel({
    name: "check",
    inputs: [
      { name: "values", type },
      ...(masked ? [{ name: "counted", type: "u32" } as const] : []),
      ...(flagged ? [{ name: "flag", type: "f32" } as const] : []),
      ...conditions.map((name) => ({ name, type: "u32" } as const)),
    ],
    outputs: [{ name: "notes", type: "u32" }],
    groups: 1,
    workgroupSize: LANES,
    declarations: `var<workgroup> found: array<u32, ${LANES}>;`,
    body: `var own = ${count}u;
let end = ${flagged ? `select(0u, ${count}u, flag[0] != 0f)` : `${count}u`};
for (var i = lane; i < end; i += ${LANES}u) {
  let x = values[i];
  if (${masked ? `counted[i] != 0u && (${predicate})` : predicate}) {
    own = i;
    break;
  }
}
found[lane] = own;
for (var half = ${LANES / 2}u; half > 0u; half /= 2u) {
  workgroupBarrier();
  if (lane < half) { found[lane] = min(found[lane], found[lane + half]); }
}
if (lane == 0u && notes[${2 * note}u] == 0u) {
  let first = found[0];
  if (${[isBad, ...conditions.map((name) => `${name}[0] != 0u`)].join(" && ")}) {
    notes[${2 * note}u] = ${position} + 1u;
    notes[${2 * note + 1}u] = ${value};
  }
}`,
  });
}
