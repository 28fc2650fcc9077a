/**
 * Means and norms on graphics cards, which have no float64: sums of scaled values beside the plain
 * one, of which one neither overflows nor vanishes (Blue 1978, https://doi.org/10.1145/355769.355771).
 *
 * @module
 */
import { parseExpression } from "./expression.ts";
import type { Assignment, LoopSpec, Reduction } from "./passes.ts";

type Statement = Assignment | Reduction;

/** The loop with sums in place of means and norms. */
export function withSums(spec: LoopSpec): LoopSpec {
  return { ...spec, body: spec.body.flatMap(expand) };
}

function expand(statement: Statement): readonly Statement[] {
  if (!("reduce" in statement)) return [statement];
  if (statement.reduce === "mean") return meanOf(statement);
  return statement.reduce === "norm" ? normOf(statement) : [statement];
}

/**
 * `Σ x` unless the values are so large that it may overflow: then that of a 2⁴⁰th of them. Tiny ones
 * are left out there, so that no compiler takes the common factor out of the sum again.
 */
function meanOf({ name, of: x, divisor = 1 }: Reduction): Statement[] {
  const scaled = `${name}scaled / ${divisor * 2 ** -40}`;
  return [
    ...summed(`${name}plain`, x),
    ...summed(`${name}scaled`, `abs(${x}) < 1e-30 ? 0 : ${x} * ${2 ** -40}`),
    ...summed(`${name}size`, `abs(${x}) < 1e-30 ? 0 : abs(${x}) * ${2 ** -40}`),
    assign(name, `${2 ** 80} < ${name}size ? ${scaled} : ${name}plain / ${divisor}`),
  ];
}

/** `√Σ x²` from large values scaled down, from small ones scaled up, or as it is. */
function normOf({ name, of: x, divisor = 1 }: Reduction): Statement[] {
  const square = (scale: number) => `(${x} * ${scale}) * (${x} * ${scale})`;
  const root = (sum: string) => `sqrt(${name}${sum} / ${divisor})`;
  return [
    ...summed(`${name}plain`, `${x} * ${x}`),
    ...summed(`${name}large`, square(2 ** -80)),
    ...summed(`${name}small`, square(2 ** 75)),
    assign(
      name,
      `${2 ** -40} < ${name}large ? ${root("large")} * ${2 ** 80} : ` +
        `${name}plain < ${2 ** -80} ? ${root("small")} * ${2 ** -75} : ${root("plain")}`,
    ),
  ];
}

/** The sum of an expression. */
function summed(name: string, text: string): Statement[] {
  return [assign(`${name}term`, text), { name, reduce: "sum", of: `${name}term` }];
}

function assign(name: string, text: string): Assignment {
  return { name, expression: parseExpression(text) };
}
