/**
 * Means and norms on graphics cards, which have no float64: sums of scaled values beside the plain
 * one, of which one neither overflows nor vanishes (Blue 1978, https://doi.org/10.1145/355769.355771).
 *
 * @module
 */
import { type Expression, parseExpression, substitute } from "./expression.ts";
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
function meanOf({ name, of, divisor = 1 }: Reduction): Statement[] {
  return [
    ...summed(`${name}plain`, "x", of),
    ...summed(`${name}scaled`, `abs(x) < 1e-30 ? 0 : x * ${2 ** -40}`, of),
    ...summed(`${name}size`, `abs(x) < 1e-30 ? 0 : abs(x) * ${2 ** -40}`, of),
    assign(
      name,
      `${2 ** 80} < size ? scaled / ${divisor * 2 ** -40} : plain / ${divisor}`,
      { plain: `${name}plain`, scaled: `${name}scaled`, size: `${name}size` },
    ),
  ];
}

/** `√Σ x²` from large values scaled down, from small ones scaled up, or as it is. */
function normOf({ name, of, divisor = 1 }: Reduction): Statement[] {
  const square = (scale: number) => `(x * ${scale}) * (x * ${scale})`;
  return [
    ...summed(`${name}plain`, "x * x", of),
    ...summed(`${name}large`, square(2 ** -80), of),
    ...summed(`${name}small`, square(2 ** 75), of),
    assign(
      name,
      `${2 ** -40} < large ? sqrt(large / ${divisor}) * ${2 ** 80} : plain < ${2 ** -80} ? ` +
        `sqrt(small / ${divisor}) * ${2 ** -75} : sqrt(plain / ${divisor})`,
      { plain: `${name}plain`, large: `${name}large`, small: `${name}small` },
    ),
  ];
}

/** The sum of an expression in `x`. */
function summed(name: string, text: string, of: string): Statement[] {
  return [assign(`${name}term`, text, { x: of }), { name, reduce: "sum", of: `${name}term` }];
}

function assign(name: string, text: string, names: Record<string, string>): Assignment {
  const values = Object.entries(names).map(([key, value]) => [key, { kind: "name", name: value }]);
  const expression = substitute(
    parseExpression(text),
    Object.fromEntries(values) as Record<string, Expression>,
  );
  return { name, expression };
}
