/**
 * Loops over rows: what they compute, and what of it happens in which pass over a row.
 *
 * @module
 */
import type { DType } from "../../src/dtype.ts";
import { costOf, type Expression, namesIn, WORTH_KEEPING } from "./expression.ts";

/** Values that a loop reads. */
export interface LoopOperand {
  /** The name. */
  name: string;
  /** The type of its elements. */
  dtype: DType;
  /** Whether it changes along what is reduced; else it has one value per row, or per column. */
  moves: boolean;
  /** Elements from column to column; by default 1, or 0 where it does not change along a row. */
  along?: number | undefined;
  /** Which slice of it a row is: the operand that holds positions, and elements from slice to slice. */
  lookup?: { positions: string; step: number } | undefined;
  /** Whether rows are neighbours, as in a transposed matrix: some are turned around at a time. */
  turned?: boolean | undefined;
}

/** A value for each position, or for each row where nothing that it is made of moves. */
export interface Assignment {
  /** The name. */
  name: string;
  /** How it is computed from operands, parameters and earlier names. */
  expression: Expression;
  /** The type that it is brought to; by default the one that its expression has. */
  dtype?: DType | undefined;
}

/** One value for each row: what the values of a name amount to. */
export interface Reduction {
  /** The name. */
  name: string;
  /**
   * The sum, added up in float64; the mean, `Σ x / divisor`, or the norm, `√(Σ x² / divisor)`, which
   * are float64 to their end; or an extreme. NaN wins over any extreme.
   */
  reduce: "sum" | "mean" | "norm" | "max" | "min";
  /** The name of what is reduced. */
  of: string;
  /** What means and squared norms are divided by; 1 by default. */
  divisor?: number | undefined;
}

/** A value that a loop writes. */
export interface LoopStore {
  /** The name. */
  name: string;
  /** The type of the elements that are written. */
  dtype: DType;
  /** Whether it is written at each position; else once per row. */
  moves: boolean;
  /** Whether it only lies there until the loop has done with the row; not by default. */
  temporary?: boolean | undefined;
}

/** What a loop over rows and columns does. */
export interface LoopSpec {
  /** The type in which it computes. */
  float: "float32" | "float64";
  /** What it reads. */
  operands: readonly LoopOperand[];
  /** Names of numbers that are given at each call; none by default. */
  parameters?: readonly string[] | undefined;
  /** What it computes, each from what comes before. */
  body: readonly (Assignment | Reduction)[];
  /** What it writes. */
  stores: readonly LoopStore[];
  /** How long rows are, roughly: several short ones are worked on at once. */
  columns?: number | undefined;
  /**
   * What reductions run over: each row, by default, each column, or all rows together, as one that
   * lies in stretches. What is said of a row holds of a column where these are reduced.
   */
  over?: "row" | "column" | "all" | undefined;
}

/** The loop that reduces the rows of an operand, and does nothing else. */
export function reductionLoop(
  { reduce, divisor }: Pick<Reduction, "reduce" | "divisor">,
  dtype: DType,
): LoopSpec {
  return {
    float: dtype === "float64" ? "float64" : "float32",
    operands: [{ name: "x", dtype, moves: true }],
    body: [{ name: "y", reduce, of: "x", divisor }],
    stores: [{ name: "y", dtype, moves: false }],
  };
}

/** A value that is read from memory in a pass: an operand, or what an earlier pass wrote. */
export interface PassLoad {
  /** The name. */
  name: string;
  /** Where it lies. */
  from: "operand" | "output";
  /** The number of the operand or output. */
  index: number;
}

/** One way along a row. */
export interface Pass {
  /** What is computed before it, once per row. */
  before: readonly Assignment[];
  /** What is read at each position. */
  loads: readonly PassLoad[];
  /** What is computed at each position. */
  moving: readonly Assignment[];
  /** What is reduced. */
  reductions: readonly Reduction[];
  /** What is written at each position: names, and the numbers of the outputs. */
  stores: readonly { name: string; output: number }[];
}

/** When a value is known: in which pass, and whether it changes along the row. */
interface Level {
  pass: number;
  moves: boolean;
}

/** The passes of a loop. A pass ends where all of a row must be seen before more can be computed. */
export function planPasses(spec: LoopSpec): Pass[] {
  const planner = new Planner(spec);
  return Array.from({ length: planner.count }, (_, p) => planner.plan(p));
}

/**
 * The loop with a temporary store for every value that is costly, needed in several passes, and not
 * written anyway: to be kept is faster than to be computed again.
 */
export function withTemporaries(spec: LoopSpec): LoopSpec {
  for (let kept = spec;;) {
    const seen = new Set<string>();
    const again = planPasses(kept).flatMap(({ moving }) =>
      moving.filter(({ name, expression, dtype = spec.float }) => {
        const known = seen.has(name);
        seen.add(name);
        return known && costOf(expression) >= WORTH_KEEPING && dtype === spec.float;
      })
    );
    const name = again.at(-1)?.name;
    if (name === undefined) return kept;
    const store: LoopStore = { name, dtype: spec.float, moves: true, temporary: true };
    kept = { ...kept, stores: [...kept.stores, store] };
  }
}

/** The loop with the logarithms of bases that stay along a row taken once: powers of the same bits. */
export function hoistLogarithms(spec: LoopSpec): LoopSpec {
  const moving = new Set(spec.operands.flatMap(({ name, moves }) => moves ? [name] : []));
  const moves = (e: Expression) => namesIn(e).some((name) => moving.has(name));
  const body = spec.body.flatMap((statement): LoopSpec["body"] => {
    if ("reduce" in statement) return [statement];
    const { name, expression: e } = statement;
    if (moves(e)) moving.add(name);
    if (e.kind !== "call" || e.name !== "pow") return [statement];
    const [base, exponent] = e.operands as [Expression, Expression];
    if (moves(base) || !moves(exponent)) return [statement];
    const parts = ["logarithmHigh", "logarithmLow"].map((part): Assignment => ({
      name: `${name}${part}`,
      expression: { kind: "call", name: part, operands: [base] },
    }));
    const logarithm = parts.map((part): Expression => ({ kind: "name", name: part.name }));
    const operands = [base, ...logarithm, exponent];
    return [...parts, { ...statement, expression: { ...e, name: "powOfLogarithm", operands } }];
  });
  return { ...spec, body };
}

class Planner {
  readonly count: number;
  readonly #spec: LoopSpec;
  readonly #levels = new Map<string, Level>();
  readonly #assignments = new Map<string, Assignment>();
  /** Values that earlier passes wrote, and the numbers of the outputs. */
  readonly #written = new Map<string, number>();

  constructor(spec: LoopSpec) {
    this.#spec = spec;
    for (const { name, moves } of spec.operands) this.#levels.set(name, { pass: 0, moves });
    for (const name of spec.parameters ?? []) this.#levels.set(name, { pass: 0, moves: false });
    for (const statement of spec.body) {
      const reduces = "reduce" in statement;
      if (!reduces) this.#assignments.set(statement.name, statement);
      const names = reduces ? [statement.of] : namesIn(statement.expression);
      const levels = names.map((name) => this.#levelOf(name));
      this.#levels.set(statement.name, {
        pass: Math.max(0, ...levels.map(({ pass }) => pass)) + Number(reduces),
        moves: !reduces && levels.some(({ moves }) => moves),
      });
    }
    for (const { name, moves } of spec.stores) {
      if (!moves && this.#levelOf(name).moves) {
        throw new TypeError(
          `Cannot plan a loop as ${name} is stored once per row: it changes along the row`,
        );
      }
    }
    this.count = 1 + Math.max(0, ...[...this.#levels.values()].map(({ pass }) => pass));
  }

  plan(p: number): Pass {
    const before = [...this.#assignments.values()].filter(({ name }) => {
      const { pass, moves } = this.#levelOf(name);
      return !moves && pass === p;
    });
    const needed = this.#needs(p);
    const stores = [...needed.stores, ...this.#keep(p, needed.moving)];
    for (const { name, output } of stores) this.#written.set(name, output);
    return { ...needed, before, stores };
  }

  #levelOf(name: string): Level {
    const level = this.#levels.get(name);
    if (level === undefined) {
      throw new TypeError(`Cannot plan a loop as ${name} is used before it is computed`);
    }
    return level;
  }

  /** What a pass reduces and writes, and what it reads and computes for that at each position. */
  #needs(p: number): Omit<Pass, "before"> {
    const isOf = (name: string) => this.#levelOf(name).pass === p;
    const { body, stores: all } = this.#spec;
    const reductions = body.flatMap((s) => "reduce" in s && isOf(s.of) ? [s] : []);
    const stores = all.flatMap(({ name, moves }, output) =>
      moves && isOf(name) ? [{ name, output }] : []
    );
    const loads: PassLoad[] = [];
    const moving: Assignment[] = [];
    const seen = new Set<string>();
    const visit = (name: string): void => {
      if (seen.has(name) || !this.#levelOf(name).moves) return;
      seen.add(name);
      const output = this.#written.get(name);
      const assignment = this.#assignments.get(name);
      if (output !== undefined) loads.push({ name, from: "output", index: output });
      else if (assignment !== undefined) {
        namesIn(assignment.expression).forEach(visit);
        moving.push(assignment);
      } else {
        const index = this.#spec.operands.findIndex((operand) => operand.name === name);
        loads.push({ name, from: "operand", index });
      }
    };
    for (const { of } of reductions) visit(of);
    for (const { name } of stores) visit(name);
    return { loads, moving, reductions, stores };
  }

  /** Costly values that later passes need too: kept where an output is written only later. */
  #keep(p: number, moving: readonly Assignment[]): Pass["stores"] {
    const { stores, float } = this.#spec;
    const own = new Set(stores.map(({ name }) => name));
    const kept: { name: string; output: number }[] = [];
    for (const { name, expression, dtype = float } of moving) {
      if (costOf(expression) < WORTH_KEEPING || own.has(name) || dtype !== float) continue;
      const lastUse = this.#lastUse(name, p);
      const output = stores.findIndex((store, i) =>
        store.moves && store.dtype === float && lastUse > p &&
        this.#levelOf(store.name).pass >= lastUse &&
        ![...this.#written.values(), ...kept.map((k) => k.output)].includes(i)
      );
      if (output !== -1) kept.push({ name, output });
    }
    return kept;
  }

  /** The last pass that computes a value anew. */
  #lastUse(name: string, p: number): number {
    for (let q = this.count - 1; q > p; q--) {
      if (this.#needs(q).moving.some((assignment) => assignment.name === name)) return q;
    }
    return p;
  }
}
