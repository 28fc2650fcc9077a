/**
 * Fused loops that reduce columns: sums and extremes over the rows of what they compute.
 *
 * @module
 */
import { hasRelaxedSimd } from "../wasm/features.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32 } from "../wasm/scalar.ts";
import { BodyWriter, loopParameters, type Values } from "./body.ts";
import { createColumnAccumulator } from "./column_accumulators.ts";
import {
  advance,
  eachElement,
  lanesOf,
  type Outgoing,
  type Place,
  readFirst,
  readGroups,
  readRemainder,
  type Remainder,
  writeGroups,
  writeLane,
} from "./elements.ts";
import type { Lanes } from "./lanes.ts";
import { type Assignment, type LoopSpec, namesIn, type Reduction } from "./passes.ts";
import type { HostMath } from "./typed.ts";
import { type EmitOptions, type LoopFunction, WIDTH } from "./wasm.ts";

/**
 * Adds a loop whose reductions run over the rows, so that there is one result for each column; it is
 * called as those of {@linkcode emitLoop} are. Stores that move are written at each position, the
 * others, reductions and what is made of them, once for each column. Sums run in float64, one row
 * after the other, as in `row_reduce/reference.ts`.
 *
 * A strip of columns is taken from the first row to the last before the next one, so that its
 * results stay in registers.
 */
export function emitColumnLoop(
  module: ModuleBuilder,
  math: HostMath,
  spec: LoopSpec,
  options: EmitOptions = {},
): LoopFunction {
  const relaxed = options.relaxed ?? hasRelaxedSimd();
  return module.addFunction(loopParameters(spec), (builder, locals) => {
    new ColumnWriter(new BodyWriter(builder, locals, math, spec, relaxed)).write();
  });
}

/** Writes one loop, strip by strip. */
class ColumnWriter {
  readonly #body: BodyWriter;
  readonly #reductions: readonly Reduction[];
  /** What is computed at each position, and what of the results. */
  readonly #inside: readonly Assignment[];
  readonly #after: readonly Assignment[];

  constructor(body: BodyWriter) {
    this.#body = body;
    const late = new Set<string>();
    const assignments: Assignment[] = [];
    for (const statement of body.spec.body) {
      if ("reduce" in statement) late.add(statement.name);
      else {
        if (namesIn(statement.expression).some((name) => late.has(name))) late.add(statement.name);
        assignments.push(statement);
      }
    }
    this.#reductions = body.spec.body.filter((statement) => "reduce" in statement);
    this.#inside = assignments.filter(({ name }) => !late.has(name));
    this.#after = assignments.filter(({ name }) => late.has(name));
    this.#check(late);
  }

  write(): void {
    const { builder, code, spec } = this.#body;
    const left = this.#body.local("columns");
    const width = WIDTH[spec.float];
    const strip = [
      ...spec.operands.map((x, i) => ({ ...x, kind: "operand" as const, i })),
      ...spec.stores.map((x, i) => ({ ...x, kind: "output" as const, i })),
    ].filter(({ kind, moves }) => moves || kind === "output");
    const places = strip.map(({ dtype, kind, i }): Place => ({
      dtype,
      addresses: [this.#body.local(`${kind}${i}`)],
    }));
    builder.while(i32.geS(left, width * lanesOf(code)), () => {
      this.#writeStrip(width);
      advance(code, places, left, width);
    });
    builder.while(i32.gtS(left, 0), () => {
      this.#writeStrip(1, { left, whole: builder.let(i32.geS(left, lanesOf(code))) });
      advance(code, places, left, 1);
    });
  }

  /** There is one way down the columns: what needs their results cannot need positions too. */
  #check(late: ReadonlySet<string>): void {
    const { operands, stores } = this.#body.spec;
    const fail = (name: string, why: string): never => {
      throw new TypeError(`Cannot emit a loop over columns as ${name} ${why}`);
    };
    for (const { name, of } of this.#reductions) {
      if (late.has(of)) fail(name, "reduces results of columns");
    }
    const inside = new Set([...operands, ...this.#inside].map(({ name }) => name));
    for (const { name, expression } of this.#after) {
      if (namesIn(expression).some((other) => inside.has(other))) {
        fail(name, "needs results of columns at each of their positions");
      }
    }
    for (const { name, moves } of stores) {
      if (moves && late.has(name)) {
        fail(name, "is stored at each position: there is one per column");
      }
      if (!moves && inside.has(name)) fail(name, "is stored once per column: it changes along it");
    }
  }

  /** Some columns, from the first row to the last; `remainder` where they may not fill a group. */
  #writeStrip(width: number, remainder?: Remainder): void {
    const body = this.#body;
    const { builder, code } = body;
    const { operands, stores } = body.spec;
    const from = operands.map((_, i) => body.place("operand", i));
    const to = stores.map((_, i) => body.place("output", i));
    const accumulators = this.#reductions.map(({ reduce }) =>
      createColumnAccumulator(code, reduce, width)
    );
    const rows = builder.let(body.local("rows"));
    builder.while(i32.gtS(rows, 0), () => {
      const values = this.#computeInside(from, width, remainder);
      const outgoing = stores.flatMap(({ name, moves }, i) =>
        moves ? [body.pack(values.get(name)!, to[i]!)] : []
      );
      this.#writeAll(outgoing, width, remainder);
      this.#reductions.forEach(({ of }, i) => accumulators[i]!.add(values.get(of)!));
      from.forEach(({ addresses }, i) =>
        builder.increase(addresses[0]!, body.local(`operandStep${i}`))
      );
      to.forEach(({ addresses }, i) =>
        builder.increase(addresses[0]!, body.local(`outputStep${i}`))
      );
      builder.increase(rows, -1);
    });
    const results: Values = new Map(body.shared);
    this.#reductions.forEach(({ name }, i) =>
      results.set(name, body.let(accumulators[i]!.finish()))
    );
    for (const assignment of this.#after) body.assign(assignment, results);
    const outgoing = stores.flatMap(({ name, moves }, i) =>
      moves ? [] : [body.pack(results.get(name)!, body.place("output", i))]
    );
    this.#writeAll(outgoing, width, remainder);
  }

  #computeInside(from: readonly Place[], width: number, remainder?: Remainder): Values {
    const body = this.#body;
    const { code, spec } = body;
    const values: Values = new Map(body.shared);
    const moving = spec.operands.flatMap(({ moves }, i) => moves ? [from[i]!] : []);
    const read: Lanes[] = remainder === undefined
      ? moving.map((place) => code.let(readGroups(code, place, width)))
      : readRemainder(code, moving, remainder);
    spec.operands.forEach(({ name, dtype, moves }, i) => {
      const packed = moves ? read.shift()! : code.let(readFirst(from[i]!));
      values.set(name, body.unpack(dtype, packed));
    });
    for (const assignment of this.#inside) body.assign(assignment, values);
    return values;
  }

  #writeAll(outgoing: readonly Outgoing[], width: number, remainder?: Remainder): void {
    const { code } = this.#body;
    if (outgoing.length === 0) return;
    const whole = () => outgoing.forEach((values) => writeGroups(code, values, width));
    if (remainder === undefined) whole();
    else {
      eachElement(
        code,
        remainder,
        whole,
        (lane) => outgoing.forEach((values) => writeLane(code, values, lane)),
      );
    }
  }
}
