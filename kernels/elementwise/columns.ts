/**
 * Fused loops that reduce columns: sums and extremes over the rows of what they compute.
 *
 * @module
 */
import { hasRelaxedSimd } from "../wasm/features.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32 } from "../wasm/value.ts";
import { createAccumulator } from "./accumulators.ts";
import { BodyWriter, type Groups, loopParameters, type Values } from "./body.ts";
import { advance, lanesOf, type Place } from "./elements.ts";
import { type LoopSpec, type Pass, planColumnPasses } from "./passes.ts";
import type { HostMath } from "./typed.ts";
import { type LoopFunction, WIDTH } from "./wasm.ts";

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
  relaxed: boolean = hasRelaxedSimd(),
): LoopFunction {
  return module.addFunction(loopParameters(spec), (builder, locals) => {
    new ColumnWriter(new BodyWriter(builder, locals, math, spec, relaxed)).write();
  });
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
      this.#writeStrip({ width });
      advance(code, places, left, width);
    });
    builder.while(i32.gtS(left, 0), () => {
      const remainder = { left, whole: builder.let(i32.geS(left, lanesOf(code))) };
      this.#writeStrip({ width: 1, remainder });
      advance(code, places, left, 1);
    });
  }

  /** Some columns, from the first row to the last, as often as there are passes. */
  #writeStrip(strip: Groups): void {
    const body = this.#body;
    const { operands, stores } = body.spec;
    const shared: Values = new Map(body.shared);
    const once = operands.flatMap(({ name, repeats }, i) =>
      repeats ? [{ name, place: body.place("operand", i) }] : []
    );
    body.read(once, shared, strip);
    for (const pass of this.#passes) this.#writePass(pass, shared, strip);
    const results = stores.flatMap(({ name, moves }, i) =>
      moves ? [] : [{ name, place: body.place("output", i) }]
    );
    body.write(results, shared, strip);
  }

  /** From the first row to the last, once; `shared` is what there is once per column. */
  #writePass(pass: Pass, shared: Values, strip: Groups): void {
    const body = this.#body;
    const { builder, code } = body;
    for (const assignment of pass.before) body.assign(assignment, shared);
    if (pass.stores.length + pass.reductions.length === 0) return;
    const open = body.open(
      pass,
      1,
      (reduction) => createAccumulator(code, reduction, strip.width, 1, true),
    );
    const rows = builder.let(body.local("rows"));
    builder.while(i32.gtS(rows, 0), () => {
      const values = body.compute(open, shared, strip);
      body.write(open.targets, values, strip);
      for (const { of, accumulator } of open.reductions) accumulator.add(values.get(of)!, 1);
      for (const [key, { addresses }] of open.places) {
        const step = key.replace(/(?=\d)/, "Step");
        builder.increase(addresses[0]!, body.local(step));
      }
      builder.increase(rows, -1);
    });
    body.close(open, shared);
  }
}
