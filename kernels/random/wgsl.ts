/**
 * Samplers in WGSL: the numbers of `reference.ts` from the same bits.
 *
 * Keys, uniform numbers, booleans and orders are the same to the last bit; normal numbers are those
 * of the CPU to about 1e-6, gamma numbers to 2e-5 but for one in about a million that accepts another
 * proposal. Poisson numbers differ by one in about 2²⁴ / rate, as float32 holds no more digits; from
 * 2²⁴ on only numbers that it holds occur. Class numbers compare sums in float32 with a draw: one in
 * about a million falls on the other side.
 *
 * @module
 */
import * as a from "../functions/algebra.ts";
import type { Scalar } from "../functions/algebra.ts";
import { below, upperProduct } from "../functions/angles.ts";
import { print } from "../functions/print.ts";
import { declareFunctions, WgslPrinter } from "../functions/wgsl.ts";
import { broadcastStrides, sizeOf } from "../../src/shape.ts";
import { offsetOf } from "../layout/wgsl_strides.ts";
import {
  createKernel,
  groupsFor,
  WGSL_TYPES,
  type WgslElement,
  type WgslKernel,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import { fraction } from "./normal.ts";
import { bitsOf, ELEMENT, numberOf, type SamplerName, SCHEDULE } from "./samplers.ts";
import { keySchedule, type Words } from "./threefry.ts";

const KEY = { name: "key", type: "i32" } as const;

const WORDS: Words = [a.integerParameter("k0"), a.integerParameter("k1")];

/**
 * What an element's values are, by the key and other parameters: statements, their results, and the
 * functions that they and the rest of the kernel call.
 */
function textOf(
  roots: readonly Scalar[],
  parameters: Record<string, string>,
  uses: readonly string[] = [],
) {
  const printer = new WgslPrinter();
  const words = print(keySchedule(WORDS), { k0: "key[0]", k1: "key[1]" }, printer);
  const added = Object.fromEntries(SCHEDULE.map((name, i) => [name, words[i]!]));
  const results = print(roots, { ...added, ...parameters }, printer);
  const declarations = declareFunctions([...uses, ...printer.uses]);
  return { statements: printer.lines.join("\n"), declarations, results };
}

/**
 * `count` numbers of a distribution. Inputs: key (int32, 2), and where there is one the parameter,
 * `parameters` of them: 1 for all, or `count`.
 */
export function samplerKernel(
  name: SamplerName,
  element: WgslElement,
  count: number,
  parameter?: { readonly element: WgslElement; readonly count: number },
): WgslKernel {
  const at = parameter?.count === 1 ? "0" : "index";
  const number = numberOf({ name, dtype: element }, "float32");
  const { statements, declarations, results: [value] } = textOf([number], {
    element: "element",
    parameter: "parameter",
    integer: `parameters[${at}]`,
  });
  const type = WGSL_TYPES[element];
  return createKernel({
    name,
    inputs: [
      KEY,
      ...(parameter ? [{ name: "parameters", type: WGSL_TYPES[parameter.element] }] : []),
    ],
    outputs: [{ name: "y", type }],
    groups: groupsFor(count),
    declarations,
    body: [
      `if (index >= ${count}u) { return; }`,
      "let element = i32(index);",
      ...(parameter ? [`let parameter = f32(parameters[${at}]);`] : []),
      statements,
      `y[index] = ${type}(${value});`,
    ].join("\n"),
  });
}

/**
 * Class numbers (int32) of a shape, with probabilities proportional to the exponentials of a row of
 * logits. Inputs: key (int32, 2), logits (float32, the shape `batch`, which broadcasts to the
 * shape, and an axis of `classes`).
 */
export function categoricalKernel(
  shape: readonly number[],
  batch: readonly number[],
  classes: number,
): WgslKernel {
  const count = sizeOf(shape);
  const { statements, declarations, results: [drawn] } = textOf(
    [fraction(bitsOf(0), "float32")],
    { element: "i32(index)" },
    ["scalar_exp"],
  );
  const row = offsetOf("index", shape, broadcastStrides(batch, shape));
  return createKernel({
    name: "categorical",
    inputs: [KEY, { name: "logits", type: "f32" }],
    outputs: [{ name: "y", type: "i32" }],
    groups: groupsFor(count),
    declarations,
    body: `if (index >= ${count}u) { return; }
let start = (${row}) * ${classes}u;
var largest = logits[start];
for (var c = 1u; c < ${classes}u; c++) { largest = max(largest, logits[start + c]); }
var total = 0.0;
for (var c = 0u; c < ${classes}u; c++) { total += scalar_exp(logits[start + c] - largest); }
${statements}
let limit = ${drawn} * total;
var cumulative = 0.0;
var chosen = 0u;
// Where rounding lifts the limit to the total, the last class that is possible is taken.
for (var c = 0u; c < ${classes}u && (c == 0u || cumulative <= limit); c++) {
  let weight = scalar_exp(logits[start + c] - largest);
  cumulative += weight;
  chosen = select(chosen, c, weight > 0.0);
}
y[index] = i32(chosen);`,
  });
}

/** `⌊(N + ½) 2⁻⁵² (i + 1)⌋` in position i, from the products of the two words of N. */
function partnerOf([high, low]: Words): Scalar {
  const extent = a.add(ELEMENT, 1);
  const lower = upperProduct(a.or(a.and(low, 0xfffff000), 0x800), extent);
  const sum = a.add(a.mul(high, extent), lower);
  return a.add(upperProduct(high, extent), a.choose(below(sum, lower), a.integer(1), 0));
}

/**
 * The numbers 0 … n − 1 in random order, that of the CPU. Input: key (int32, 2); output: int32.
 *
 * The positions to exchange are drawn side by side; the exchanges, each of which depends on those
 * before it, are done one after the other.
 */
export function permutationPlan(n: number): WgslPlan {
  const { statements, declarations, results: [partner] } = textOf([partnerOf(bitsOf(0))], {
    element: "i32(index)",
  });
  const partners = createKernel({
    name: "permutation partners",
    inputs: [KEY],
    outputs: [{ name: "order", type: "i32" }, { name: "partners", type: "u32" }],
    groups: groupsFor(n),
    declarations,
    body: `if (index >= ${n}u) { return; }
order[index] = i32(index);
${statements}
partners[index] = bitcast<u32>(${partner});`,
  });
  const exchanges = createKernel({
    name: "permutation exchanges",
    inputs: [{ name: "partners", type: "u32" }],
    outputs: [{ name: "order", type: "i32" }],
    groups: 1,
    workgroupSize: 1,
    body: `for (var i = ${Math.max(n, 1) - 1}u; i > 0u; i--) {
  let j = partners[i];
  let last = order[i];
  order[i] = order[j];
  order[j] = last;
}`,
  });
  return {
    kernels: [
      { kernel: partners, buffers: [0, 1, 2] },
      { kernel: exchanges, buffers: [2, 1] },
    ],
    temporaries: [n],
  };
}
