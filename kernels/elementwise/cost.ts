/**
 * How long expressions take, roughly: enough to say what is better kept than computed again.
 *
 * @module
 */
import type { Expression } from "./expression.ts";

/** What takes longer to be computed again than to be written and read. */
export const WORTH_KEEPING = 4;

/** What functions take that are a few instructions. */
const QUICK: Readonly<Record<string, number>> = { abs: 1, max: 1, min: 1, sign: 2, sqrt: 4 };

/** What calls of the other functions take, at least. */
export const COSTLY = 20;

/** Roughly how many times as long as an addition an expression takes. */
export function costOf(e: Expression): number {
  const total = (parts: readonly Expression[]) => parts.reduce((sum, x) => sum + costOf(x), 0);
  switch (e.kind) {
    case "number":
    case "name":
      return 0;
    case "negate":
      return 1 + costOf(e.operand);
    case "binary":
      return (e.operator === "/" ? WORTH_KEEPING : 1) + total([e.left, e.right]);
    case "choose":
      return 1 + total([e.condition, e.then, e.otherwise]);
    case "call":
      return (QUICK[e.name] ?? COSTLY) + total(e.arguments);
  }
}
