/**
 * Fused loops that reduce columns: sums and extremes over the rows of what they compute.
 *
 * @module
 */
import { hasRelaxedSimd } from "../wasm/features.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32 } from "../wasm/value.ts";
import { createAccumulator } from "./accumulators.ts";
import { BodyWriter, loopParameters, type Values } from "./body.ts";
import {
  advance,
  eachElement,
  lanesOf,
  type Place,
  readFirst,
  readGroups,
  readRemainder,
  type Remainder,
  writeGroups,
  writeLane,
} from "./elements.ts";
import type { Lanes } from "./lanes.ts";
import { type LoopSpec, type Pass, planColumnPasses } from "./passes.ts";
import type { HostMath } from "./typed.ts";
import { type EmitOptions, type LoopFunction, WIDTH } from "./wasm.ts";

/** The most columns that a loop works on at a time: as many lie in its temporary stores side by side. */
export const STRIP = { float32: 16, float64: 4 } as const;

/**
 * Adds a loop whose reductions run over the rows, so that there is one result for each column; it is
 * called as those of {@linkcode emitLoop} are. Stores that move are written at each position, the
 * others, reductions and what is made of them, once for each column; the steps of temporary ones, from
 * row to row, have room for {@linkcode STRIP} columns. Sums run in float64, one row after the other, as
 * in `row_reduce/reference.ts`.
 *
 * A strip of columns is gone down as often as there are passes before the next one, so that its
 * results stay in registers, and what it reads in the nearest cache.
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

/** Some columns, of which the last may be missing. */
interface Strip {
  /** How many groups of columns. */
  width: number;
  /** Where they may not fill a group. */
  remainder?: Remainder | undefined;
  /** What there is once per column. */
  shared: Values;
}

/** Where a value is read: elements side by side, or one. */
interface Source {
  name: string;
  place: Place;
  isWide: boolean;
}

/** Writes one loop, strip by strip. */
class ColumnWriter {
  readonly #body: BodyWriter;
  readonly #passes: readonly Pass[];

  constructor(body: BodyWriter) {
    this.#body = body;
    this.#passes = planColumnPasses(body.spec);
  }

  write(): void {
    const { builder, code, spec } = this.#body;
    const left = this.#body.local("columns");
    const width = WIDTH[spec.float];
    const strip = [
      ...spec.operands.flatMap((x, i) => x.moves ? [{ ...x, at: `operand${i}` }] : []),
      ...spec.stores.flatMap((x, i) => x.temporary ? [] : [{ ...x, at: `output${i}`, along: 1 }]),
    ];
    const places = strip.map(({ dtype, at, along }): Place => ({
      dtype,
      addresses: [this.#body.local(at)],
      along,
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

  /** Some columns, from the first row to the last, as often as there are passes. */
  #writeStrip(width: number, remainder?: Remainder): void {
    const body = this.#body;
    const { operands, stores } = body.spec;
    const strip: Strip = { width, remainder, shared: new Map(body.shared) };
    const once = operands.flatMap(({ name, repeats, moves }, i) =>
      repeats ? [{ name, place: body.place("operand", i), isWide: moves }] : []
    );
    this.#read(once, strip.shared, strip);
    for (const pass of this.#passes) this.#writePass(pass, strip);
    this.#writeAll(
      stores.flatMap(({ name, moves }, i) =>
        moves ? [] : [{ name, place: body.place("output", i) }]
      ),
      strip.shared,
      strip,
    );
  }

  /** From the first row to the last, once. */
  #writePass(pass: Pass, strip: Strip): void {
    const { before, loads, moving, reductions, stores } = pass;
    const body = this.#body;
    const { builder, code } = body;
    for (const assignment of before) body.assign(assignment, strip.shared);
    if (stores.length + reductions.length === 0) return;
    const places = body.places(pass);
    const accumulators = reductions.map((reduction) =>
      createAccumulator(code, reduction, strip.width, 1, true)
    );
    const rows = builder.let(body.local("rows"));
    builder.while(i32.gtS(rows, 0), () => {
      const values: Values = new Map(strip.shared);
      this.#read(
        loads.map(({ name, from, index }) => ({
          name,
          place: places.get(`${from}${index}`)!,
          isWide: from === "output" || body.spec.operands[index]!.moves,
        })),
        values,
        strip,
      );
      for (const assignment of moving) body.assign(assignment, values);
      const targets = stores.map(({ name, output }) => ({
        name,
        place: places.get(`output${output}`)!,
      }));
      this.#writeAll(targets, values, strip);
      reductions.forEach(({ of }, i) => accumulators[i]!.add(values.get(of)!, 1));
      for (const [key, { addresses }] of places) {
        const step = key.replace(/(?=\d)/, "Step");
        builder.increase(addresses[0]!, body.local(step));
      }
      builder.increase(rows, -1);
    });
    reductions.forEach(({ name }, i) =>
      strip.shared.set(name, body.let(accumulators[i]!.finish()))
    );
  }

  /** Reads elements for each column, or one for all of them. */
  #read(sources: readonly Source[], values: Values, { width, remainder }: Strip): void {
    const { code } = this.#body;
    const wide = sources.flatMap(({ place, isWide }) => isWide ? [place] : []);
    const read: Lanes[] = remainder === undefined
      ? wide.map((place) => code.let(readGroups(code, place, width)))
      : readRemainder(code, wide, remainder);
    for (const { name, place, isWide } of sources) {
      const packed = isWide ? read.shift()! : code.let(readFirst(place));
      values.set(name, this.#body.unpack(place.dtype, packed));
    }
  }

  #writeAll(
    targets: readonly { name: string; place: Place }[],
    values: Values,
    { width, remainder }: Strip,
  ): void {
    const { code } = this.#body;
    if (targets.length === 0) return;
    const outgoing = targets.map(({ name, place }) => this.#body.pack(values.get(name)!, place));
    const whole = () => outgoing.forEach((packed) => writeGroups(code, packed, width));
    if (remainder === undefined) whole();
    else {
      eachElement(
        code,
        remainder,
        whole,
        (lane) => outgoing.forEach((packed) => writeLane(code, packed, lane)),
      );
    }
  }
}
