/**
 * Printing: how a graph of scalars is walked, each node once, operands first.
 *
 * @module
 */
import type { Loop, Scalar } from "./algebra.ts";

/** What values become: text, registers, instructions. */
export interface Printer<V> {
  /** The value of an operation, named so that it can be used more than once. */
  operate(scalar: Scalar, operands: readonly V[]): V;
  /** The value of another function. */
  call(scalar: Scalar, operands: readonly V[]): V;
  /** The value of `usual`, and where the condition holds that of what is written only there. */
  rarely(condition: V, exceptional: () => V, usual: V): V;
  /** The values after the turns of a loop, each of which tells whether another one follows. */
  repeat(loop: Loop, first: readonly V[], begins: V, turn: (values: readonly V[]) => [V, V[]]): V[];
}

/** The printed values of some nodes, given those of the parameters. */
export function print<V>(
  roots: readonly Scalar[],
  parameters: Readonly<Record<string, V>>,
  printer: Printer<V>,
): V[] {
  const visit = (scalar: Scalar, known: Map<Scalar, V>): V => {
    const before = known.get(scalar);
    if (before !== undefined) return before;
    if (scalar.operation === "parameter") return parameters[scalar.literal]!;
    if (scalar.loop !== undefined) {
      visitLoop(scalar, scalar.loop, known);
      return known.get(scalar)!;
    }
    const value = scalar.operation === "rarely"
      ? visitRarely(scalar.operands, known)
      : printer[scalar.operation === "call" ? "call" : "operate"](
        scalar,
        scalar.operands.map((x) => visit(x, known)),
      );
    known.set(scalar, value);
    return value;
  };
  const visitRarely = (operands: readonly Scalar[], known: Map<Scalar, V>): V => {
    const [holds, rest] = [visit(operands[0]!, known), visit(operands[2]!, known)];
    // What is written inside is not known outside.
    return printer.rarely(holds, () => visit(operands[1]!, new Map(known)), rest);
  };
  const visitLoop = (scalar: Scalar, loop: Loop, known: Map<Scalar, V>): void => {
    const [begins, ...first] = scalar.operands.map((x) => visit(x, known));
    for (const x of invariants(loop)) visit(x, known);
    const ended = printer.repeat(loop, first, begins!, (values) => {
      const inside = new Map(known);
      loop.values.forEach((x, i) => inside.set(x, values[i]!));
      const next = loop.next.map((x) => visit(x, inside));
      return [visit(loop.going, inside), next];
    });
    loop.results.forEach((x, i) => known.set(x, ended[i]!));
  };
  const known = new Map<Scalar, V>();
  return roots.map((root) => visit(root, known));
}

/** What the turns of a loop need that does not change from one to the next. */
function invariants({ values, next, going }: Loop): Scalar[] {
  const found: Scalar[] = [];
  const changes = new Map<Scalar, boolean>(values.map((x) => [x, true]));
  const isChanging = (scalar: Scalar): boolean => {
    const { operands, loop } = scalar;
    for (const inner of loop?.values ?? []) changes.set(inner, true);
    const all = loop === undefined ? operands : [...operands, ...loop.next, loop.going];
    const fixed = all.filter((x) => !visit(x));
    if (fixed.length < all.length) found.push(...fixed);
    return fixed.length < all.length;
  };
  const visit = (scalar: Scalar): boolean => {
    const known = changes.get(scalar) ?? isChanging(scalar);
    changes.set(scalar, known);
    return known;
  };
  [...next, going].forEach(visit);
  return found;
}
