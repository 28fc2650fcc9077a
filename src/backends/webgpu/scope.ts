/**
 * The values of a graph while its instructions are made: where they lie, or what is known of them.
 *
 * @module
 */
import type { Graph, ValueId } from "../../program/graph.ts";
import type { PlannedUnit } from "../../program/explain.ts";
import type { Unit } from "../../program/passes/fuse.ts";
import { Lifetimes } from "../../program/plan.ts";
import type { PlaceId } from "./instructions.ts";

/** The values of a graph, the program's or that of a loop's body. */
export class Scope {
  readonly graph: Graph;
  /** How deep it is in loops. */
  readonly depth: number;
  /** Where values lie that have places of their own. */
  readonly places: Map<ValueId, PlaceId> = new Map();
  /** Values of a scope around this one. */
  readonly outside: Map<ValueId, { scope: Scope; id: ValueId }> = new Map();
  /** What is done, for the plan in words. */
  readonly units: PlannedUnit[] = [];
  /** Where it lies whether the loops around go on, of those that end by themselves. */
  readonly going: PlaceId[];
  /** Values that are numbers known beforehand. */
  readonly literals: Map<ValueId, number>;
  #lifetimes: Lifetimes | undefined;

  constructor(graph: Graph, literals: Map<ValueId, number>, around?: Scope) {
    this.graph = graph;
    this.literals = literals;
    this.depth = around === undefined ? 0 : around.depth + 1;
    this.going = around === undefined ? [] : [...around.going];
  }

  /** How long values live that units make and read. */
  live(units: readonly Unit[]): Lifetimes {
    return this.#lifetimes = new Lifetimes(this.graph, units);
  }

  /** The value whose memory another is. */
  ownerOf(id: ValueId): ValueId {
    return this.#lifetimes?.ownerOf(id) ?? id;
  }

  /** Makes a value that of a scope around this one. */
  see(id: ValueId, scope: Scope, outer: ValueId): void {
    this.outside.set(id, { scope, id: outer });
    const literal = scope.literals.get(outer);
    if (literal !== undefined) this.literals.set(id, literal);
  }
}

/** The floating constants of one value. */
export function literalsOf({ constants }: Graph): Map<ValueId, number> {
  const literals = new Map<ValueId, number>();
  for (const [id, { size, dtype, data }] of constants) {
    if (size === 1 && dtype !== "int32" && dtype !== "bool") {
      literals.set(id, Math.fround(data[0]!));
    }
  }
  return literals;
}
