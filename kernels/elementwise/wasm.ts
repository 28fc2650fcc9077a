/**
 * Fused loops as WebAssembly: chains of elementwise expressions, with reductions of their rows, in
 * registers of four or two elements.
 *
 * @module
 */
import { BYTES } from "../../src/dtype.ts";
import type { Parameters, WasmFunction } from "../wasm/code.ts";
import { hasRelaxedSimd } from "../wasm/features.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32, type Local } from "../wasm/value.ts";
import { createAccumulator } from "./accumulators.ts";
import { BodyWriter, type Groups, loopParameters, type OpenPass } from "./body.ts";
import { advance, lanesOf, writeLane } from "./elements.ts";
import { emitTranspose, type TiledBytes, tiledRows } from "../layout/tiles.ts";
import { type LoopSpec, type Pass, planPasses } from "./passes.ts";
import type { HostMath } from "./typed.ts";

/** A loop in a module. */
export type LoopFunction = WasmFunction<Parameters, null>;

/** Registers side by side: of one row, or, where rows are short, of as many rows. */
export const WIDTH = { float32: 4, float64: 2 } as const;

/** Rows of fewer columns are short: with 20 of them, four rows at once take 60 % of the time. */
const SHORT = 64;

/** How many rows a loop works on at a time: as many lie in its temporary stores side by side. */
export function rowsAtOnce({ float, columns = Infinity, together = false }: LoopSpec): number {
  return columns < SHORT && !together ? WIDTH[float] : 1;
}

/**
 * Adds a loop over `rows` times `columns` positions to a module.
 *
 * The function takes, in order: the address of every output, the address of every operand, the bytes
 * from row to row of every output, those of every operand, the parameters (f64), and the numbers of
 * rows and columns. Values that move lie side by side along a row. Nothing is read or written beyond
 * the rows. Outputs and operands must not overlap, unless they are the same and there is one pass.
 * Temporary stores have room for {@linkcode rowsAtOnce} rows, or for all
 * of them where they are reduced together: then the columns fill groups of four.
 *
 * Every operation rounds to the type of the loop, as separate operations do, but that polynomials
 * may multiply and add at once where `relaxed` says so. Sums run in float64 in a fixed order: four
 * partial sums in float32 loops, one after the other in float64 loops, both as in
 * `row_reduce/reference.ts`.
 */
export function emitLoop(
  module: ModuleBuilder,
  math: HostMath,
  spec: LoopSpec,
  relaxed: boolean = hasRelaxedSimd(),
): LoopFunction {
  return module.addFunction(loopParameters(spec), (builder, locals) => {
    new LoopWriter(new BodyWriter(builder, locals, math, spec, relaxed), module).write();
  });
}

/** An operand that lies turned: its number, and how it is walked. */
interface Turned {
  i: number;
  size: TiledBytes;
  along: number;
  source: Local<"i32">;
}

/** Some rows of operands that lie turned, the right way round. */
class Stages {
  readonly #body: BodyWriter;
  readonly #module: ModuleBuilder;
  readonly #sources: readonly Turned[];
  /** How many of the rows are left, of how many. */
  readonly #left: Local<"i32">;
  readonly #height: number;

  constructor(body: BodyWriter, module: ModuleBuilder) {
    this.#body = body;
    this.#module = module;
    this.#left = body.builder.let(i32.const(0));
    this.#sources = body.spec.operands.flatMap(({ dtype, along, turned }, i) => {
      if (!turned) return [];
      const source = body.builder.let(body.local(`operand${i}`));
      const size = BYTES[dtype] as TiledBytes;
      return [{ i, size, along: along! * size, source }];
    });
    this.#height = Math.min(...this.#sources.map(({ size }) => tiledRows(size)));
  }

  /** Starts from the first row again. */
  rewind(): void {
    const { builder } = this.#body;
    builder.set(this.#left, i32.const(0));
    for (const { i, source } of this.#sources) {
      builder.set(source, this.#body.local(`operand${i}`));
    }
  }

  /** Turns the next rows around where none is left, for operands with an address to read them at. */
  fill(rows: Local<"i32">, addressOf: (i: number) => Local<"i32"> | undefined): void {
    if (this.#sources.length === 0) return;
    const body = this.#body;
    body.builder.if(i32.leS(this.#left, 0), () => {
      for (const { i, size, along, source } of this.#sources) {
        const address = addressOf(i);
        if (address === undefined) continue;
        body.builder.call(emitTranspose(this.#module, size), {
          ...{ to: body.local(`stage${i}`), pitch: body.local(`operandStep${i}`) },
          ...{ from: source, step: along, rows, columns: body.local("columns") },
        });
        body.builder.increase(source, this.#height * size);
        body.builder.set(address, body.local(`stage${i}`));
      }
      body.builder.set(this.#left, i32.const(this.#height));
    });
  }

  /** Counts rows that are done. */
  leave(count: number): void {
    if (this.#sources.length > 0) this.#body.builder.increase(this.#left, -count);
  }
}

/** Writes one loop, row by row. */
class LoopWriter {
  readonly #body: BodyWriter;
  readonly #passes: readonly Pass[];
  readonly #stages: Stages;

  constructor(body: BodyWriter, module: ModuleBuilder) {
    this.#body = body;
    this.#passes = planPasses(body.spec);
    this.#stages = new Stages(body, module);
  }

  write(): void {
    const { builder, spec } = this.#body;
    const rows = this.#body.local("rows");
    const width = WIDTH[spec.float];
    if (spec.together) this.#writeRows(1, width);
    else if (rowsAtOnce(spec) > 1) {
      builder.while(i32.geS(rows, width), () => this.#writeRows(width, 1));
      builder.while(i32.gtS(rows, 0), () => this.#writeRows(1, 1));
    } else builder.while(i32.gtS(rows, 0), () => this.#writeRows(1, width));
  }

  /** Some rows at once, `width` groups of elements side by side. */
  #writeRows(count: number, width: number): void {
    const body = this.#body;
    const { operands, stores, together } = body.spec;
    if (!together) this.#stages.fill(body.local("rows"), (i) => body.local(`operand${i}`));
    const once = operands.flatMap(({ name, moves }, i) =>
      moves ? [] : [{ name, place: body.place("operand", i, count) }]
    );
    body.read(once, body.shared, { width: 1 });
    for (const pass of this.#passes) this.#writePass(pass, count, width);
    stores.forEach(({ name, moves }, i) => {
      if (moves) return;
      const value = body.shared.get(name)!;
      writeLane(body.code, body.pack(value, body.place("output", i, count)), 0);
    });
    for (const [kind, list] of [["output", stores], ["operand", operands]] as const) {
      list.forEach((item, i) => {
        if ("temporary" in item && item.temporary) return;
        const step = i32.mul(body.local(`${kind}Step${i}`), count);
        body.builder.increase(body.local(`${kind}${i}`), step);
      });
    }
    body.builder.increase(body.local("rows"), -count);
    this.#stages.leave(count);
  }

  #writePass(pass: Pass, rows: number, width: number): void {
    const { builder, code, shared } = this.#body;
    for (const assignment of pass.before) this.#body.assign(assignment, shared);
    if (pass.stores.length + pass.reductions.length === 0) return;
    const open = this.#body.open(
      pass,
      rows,
      (reduction) => createAccumulator(code, reduction, rows, width),
    );
    const left = builder.let(this.#body.local("columns"));
    if (this.#body.spec.together) this.#writeStretches(open, left, width);
    else this.#writeColumns(open, left, width);
    this.#body.close(open, shared);
  }

  #writeColumns(open: OpenPass, left: Local<"i32">, width: number): void {
    const { builder, code } = this.#body;
    if (width > 1) {
      const isEnough = i32.geS(left, width * lanesOf(code));
      builder.while(isEnough, () => this.#writeGroups(open, left, { width }));
    }
    builder.while(i32.gtS(left, 0), () => {
      const remainder = { left, whole: builder.let(i32.geS(left, lanesOf(code))) };
      this.#writeGroups(open, left, { width: 1, remainder });
    });
  }

  /** The columns of all rows, one row after the other. */
  #writeStretches(open: OpenPass, left: Local<"i32">, width: number): void {
    const { builder, spec } = this.#body;
    const [rows, columns] = [builder.let(this.#body.local("rows")), this.#body.local("columns")];
    this.#stages.rewind();
    const gaps = spec.operands.flatMap(({ dtype }, i) => {
      const place = open.places.get(`operand${i}`);
      if (place === undefined) return [];
      const walked = i32.mul(columns, place.along! * BYTES[dtype]);
      const gap = builder.let(i32.sub(this.#body.local(`operandStep${i}`), walked));
      return [{ address: place.addresses[0]!, gap }];
    });
    builder.while(i32.gtS(rows, 0), () => {
      this.#stages.fill(rows, (i) => open.places.get(`operand${i}`)?.addresses[0]);
      this.#writeColumns(open, left, width);
      for (const { address, gap } of gaps) builder.increase(address, gap);
      builder.set(left, columns);
      builder.increase(rows, -1);
      this.#stages.leave(1);
    });
  }

  /** Some groups of elements of each row. */
  #writeGroups(open: OpenPass, left: Local<"i32">, groups: Groups): void {
    const { code, shared } = this.#body;
    const values = this.#body.compute(open, shared, groups);
    this.#body.write(open.targets, values, groups, open.reductions);
    advance(code, open.places.values(), left, groups.width);
  }
}
