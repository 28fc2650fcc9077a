/**
 * Kernels that are no operations: sums over blocks, and looks for values that are not allowed, of
 * which the first is noted, to be told of later.
 *
 * @module
 */
import {
  createKernel,
  groupsFor,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
  type WgslType,
} from "../../../kernels/wgsl/kernel.ts";
import { type DType, floorToSingle } from "../../dtype.ts";
import type { Forbidden } from "../../op.ts";
import { sizeOf } from "../../shape.ts";
import type { Check } from "./checks.ts";
import { deviceElement } from "./lower.ts";

/** Adds `count` numbers to those from `start` on. Input: what is added; output: the sums. */
export function accumulateKernel(element: WgslElement, count: number, start: number): WgslKernel {
  const type = WGSL_TYPES[element];
  return createKernel({
    name: "add to sum",
    inputs: [{ name: "x", type }],
    outputs: [{ name: "sums", type }],
    groups: groupsFor(count),
    body: `if (index >= ${count}u) { return; }
sums[index + ${start}u] += x[index];`,
  });
}

/** Invocations that look side by side. */
const LANES = 256;

/**
 * Notes the position, counted from 1, and the bits of the first value that is found, or position 1
 * where there should be some and is none. An earlier note stays, and where one of the loops around
 * has ended, nothing is noted. Inputs: the values, and where there are some the mask, the flag, and
 * whether loops go on; output: the notes, two words each, of which this one is number `note`.
 */
export function checkKernel(
  { specs: [{ shape, dtype }, mask], flag, forbidden }: Check,
  loops: number,
  note: number,
): WgslKernel {
  const count = sizeOf(shape);
  const predicate = predicateOf(forbidden, dtype);
  const isFirst = forbidden.kind !== "nothing";
  const [isBad, position, value] = isFirst
    ? [`first < ${count}u`, "first", "bitcast<u32>(values[first])"]
    : [`first >= ${count}u`, "0u", "0u"];
  const conditions = Array.from({ length: loops }, (_, i) => `goes_on${i}`);
  const input = (name: string, type: WgslType) => ({ name, type });
  return createKernel({
    name: "check",
    inputs: [
      input("values", WGSL_TYPES[deviceElement(dtype)]),
      ...(mask ? [input("counted", "u32")] : []),
      ...(flag === undefined ? [] : [input("flag", "f32")]),
      ...conditions.map((name) => input(name, "u32")),
    ],
    outputs: [{ name: "notes", type: "u32" }],
    groups: 1,
    workgroupSize: LANES,
    declarations: `var<workgroup> found: array<u32, ${LANES}>;`,
    body: `var own = ${count}u;
let end = ${flag === undefined ? `${count}u` : `select(0u, ${count}u, flag[0] != 0f)`};
for (var i = lane; i < end; i += ${LANES}u) {
  let x = values[i];
  if (${mask ? `counted[i] != 0u && (${predicate})` : predicate}) {
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

/** Whether a value `x` is what must not be there, in WGSL. */
function predicateOf(forbidden: Forbidden, dtype: DType): string {
  const isFloat = dtype === "float32" || dtype === "float64";
  const orNaN = (found: string, nan: boolean) =>
    isFloat ? nan ? `${IS_NAN} || (${found})` : `!(${IS_NAN}) && (${found})` : found;
  switch (forbidden.kind) {
    case "outside": {
      const { low, high, except, nan = false } = forbidden;
      const [least, most] = isFloat
        ? [-floorToSingle(-low), floorToSingle(high)]
        : [Math.max(-(2 ** 31), low), Math.min(2 ** 31 - 1, high)];
      const limit = (value: number) => `${isFloat ? "f32" : "i32"}(${value})`;
      const tests = [
        ...low === -Infinity ? [] : [`x < ${limit(least)}`],
        ...high === Infinity ? [] : [`x > ${limit(most)}`],
      ];
      const found = tests.join(" || ") || "false";
      return orNaN(except === undefined ? found : `(${found}) && x != ${limit(except)}`, nan);
    }
    case "fraction":
      return orNaN("x < -0x1p31f || x >= 0x1p31f || trunc(x) != x", true);
    case "untrue":
      return orNaN("x != 0 && x != 1", true);
    case "nothing":
      return "x != 0u";
  }
}

const IS_NAN = "(bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u";
