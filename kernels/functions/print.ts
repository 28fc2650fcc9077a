/**
 * Printing: how a graph of scalars is walked, each node once, operands first.
 *
 * @module
 */
import type { Scalar } from "./algebra.ts";

/** What values become: text, registers, instructions. */
export interface Printer<V> {
  /** The value of an operation, named so that it can be used more than once. */
  operate(scalar: Scalar, operands: readonly V[]): V;
  /** The value of another function. */
  call(scalar: Scalar, operands: readonly V[]): V;
  /** The value of `usual`, and where the condition holds that of what is written only there. */
  rarely(condition: V, exceptional: () => V, usual: V): V;
}

/** The printed values of some nodes, given those of the parameters. */
export function print<V>(
  roots: readonly Scalar[],
  parameters: Readonly<Record<string, V>>,
  printer: Printer<V>,
): V[] {
  const visit = (scalar: Scalar, known: Map<Scalar, V>): V => {
    if (scalar.operation === "parameter") return parameters[scalar.literal]!;
    const before = known.get(scalar);
    if (before !== undefined) return before;
    const value = scalar.operation === "rarely"
      ? visitRarely(scalar, known)
      : printer[scalar.operation === "call" ? "call" : "operate"](
        scalar,
        scalar.operands.map((x) => visit(x, known)),
      );
    known.set(scalar, value);
    return value;
  };
  const visitRarely = (scalar: Scalar, known: Map<Scalar, V>): V => {
    const [condition, exceptional, usual] = scalar.operands as [Scalar, Scalar, Scalar];
    const holds = visit(condition, known);
    const rest = visit(usual, known);
    // What is written inside is not known outside.
    return printer.rarely(holds, () => visit(exceptional, new Map(known)), rest);
  };
  const known = new Map<Scalar, V>();
  return roots.map((root) => visit(root, known));
}
