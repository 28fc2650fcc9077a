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
import { advance, lanesOf, type Place } from "./elements.ts";
import { emitTranspose, type TiledBytes, tiledRows } from "../layout/tiles.ts";
import {
  type LoopOperand,
  type LoopSpec,
  type LoopStore,
  type Pass,
  planPasses,
} from "./passes.ts";
import { importMath } from "./typed.ts";

/** A loop in a module. */
export type LoopFunction = WasmFunction<Parameters, null>;

/** Registers side by side: of one row, or, where rows are short, of as many rows. */
const WIDTH = { float32: 4, float64: 2 } as const;

/** Rows of fewer columns are short: with 20 of them, four rows at once take 60 % of the time. */
const SHORT = 64;

/** How many rows a loop works on at a time: as many lie in its temporary stores side by side. */
export function rowsAtOnce({ float, columns = Infinity, over = "row" }: LoopSpec): number {
  return columns < SHORT && over === "row" ? WIDTH[float] : 1;
}

/**
 * The most columns that a loop which reduces columns works on at a time: as many lie in its temporary
 * stores side by side.
 */
export const STRIP = { float32: 16, float64: 4 } as const;

/**
 * Adds a loop over `rows` times `columns` positions to a module; those to which loops are added get
 * `{ Math }` to import from.
 *
 * The function takes, in order: the address of every output, the address of every operand, the bytes
 * from row to row of every output, those of every operand, the parameters (f64), and the numbers of
 * rows and columns. Values that move lie side by side along a row. Nothing is read or written beyond
 * the rows. Outputs and operands must not overlap, unless they are the same and there is one pass.
 * Temporary stores have room for {@linkcode rowsAtOnce} rows, or for all of them where they are
 * reduced together: then the columns fill groups of four. Where columns are reduced, the steps of
 * temporary stores from row to row have room for {@linkcode STRIP} columns.
 *
 * Every operation rounds to the type of the loop, as separate operations do, but that polynomials
 * may multiply and add at once where `relaxed` says so. Sums run in float64 in a fixed order: four
 * partial sums in float32 loops, one after the other in float64 loops and where columns are reduced,
 * all as in `row_reduce/reference.ts`.
 */
export function emitLoop(
  module: ModuleBuilder,
  spec: LoopSpec,
  relaxed: boolean = hasRelaxedSimd(),
): LoopFunction {
  const math = importMath(module);
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

/** Writes one loop: row by row, or strip by strip of columns. */
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
    const [rows, columns] = [this.#body.local("rows"), this.#body.local("columns")];
    const width = WIDTH[spec.float];
    if (spec.over === "all") this.#writeRows(1, width);
    else if (spec.over === "column") {
      this.#eachGroups(columns, width, (groups) => this.#writeColumns(groups));
    } else if (rowsAtOnce(spec) > 1) {
      builder.while(i32.geS(rows, width), () => this.#writeRows(width, 1));
      builder.while(i32.gtS(rows, 0), () => this.#writeRows(1, 1));
    } else builder.while(i32.gtS(rows, 0), () => this.#writeRows(1, width));
  }

  /** Does what is left of some columns, group by group. */
  #eachGroups(left: Local<"i32">, width: number, write: (groups: Groups) => void): void {
    const { builder, code } = this.#body;
    if (width > 1) {
      builder.while(i32.geS(left, width * lanesOf(code)), () => write({ width }));
    }
    builder.while(i32.gtS(left, 0), () => {
      const remainder = { left, whole: builder.let(i32.geS(left, lanesOf(code))) };
      write({ width: 1, remainder });
    });
  }

  /** What there is once per row or column comes, passes, and what they amount to goes. */
  #writePasses(rows: number, groups: Groups, walk: (pass: Pass) => OpenPass): void {
    const body = this.#body;
    const { operands, stores } = body.spec;
    const once = (kind: "operand" | "output", list: readonly (LoopOperand | LoopStore)[]) =>
      list.flatMap(({ name, moves }, i) =>
        moves ? [] : [{ name, place: body.place(kind, i, rows) }]
      );
    body.read(once("operand", operands), body.shared, groups);
    for (const pass of this.#passes) {
      for (const assignment of pass.before) body.assign(assignment, body.shared);
      if (pass.stores.length + pass.reductions.length > 0) body.close(walk(pass));
    }
    body.write(once("output", stores), body.shared, groups);
  }

  /** Some rows at once, `width` groups of elements side by side. */
  #writeRows(count: number, width: number): void {
    const body = this.#body;
    const { builder, code } = body;
    const { over } = body.spec;
    if (over !== "all") this.#stages.fill(body.local("rows"), (i) => body.local(`operand${i}`));
    this.#writePasses(count, { width: 1, remainder: "first" }, (pass) => {
      const open = body.open(pass, count, (own) => createAccumulator(code, own, count, width));
      const left = builder.let(body.local("columns"));
      if (over === "all") this.#writeStretches(open, left, width);
      else this.#writeAlong(open, left, width);
      return open;
    });
    for (const { name, step } of this.#walked()) {
      builder.increase(body.local(name), i32.mul(body.local(step), count));
    }
    builder.increase(body.local("rows"), -count);
    this.#stages.leave(count);
  }

  /** The columns of each row. */
  #writeAlong(open: OpenPass, left: Local<"i32">, width: number): void {
    const body = this.#body;
    this.#eachGroups(left, width, (groups) => {
      body.write(open.targets, body.compute(open, groups), groups, open.reductions);
      advance(body.code, open.places.values(), left, groups.width);
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
      this.#writeAlong(open, left, width);
      for (const { address, gap } of gaps) builder.increase(address, gap);
      builder.set(left, columns);
      builder.increase(rows, -1);
      this.#stages.leave(1);
    });
  }

  /**
   * Some columns, from the first row to the last, as often as there are passes before the next ones
   * come, so that their results stay in registers, and what they read in the nearest cache.
   */
  #writeColumns(groups: Groups): void {
    const body = this.#body;
    const { builder, code } = body;
    this.#writePasses(1, groups, (pass) => {
      const open = body.open(
        pass,
        1,
        (own) => createAccumulator(code, own, groups.width, 1, true),
      );
      const rows = builder.let(body.local("rows"));
      builder.while(i32.gtS(rows, 0), () => {
        const values = body.compute(open, groups);
        body.write(open.targets, values, groups);
        for (const own of open.reductions) own.add(values.get(own.reduction.of)!, 1);
        for (const [key, { addresses }] of open.places) {
          builder.increase(addresses[0]!, body.local(stepOf(key)));
        }
        builder.increase(rows, -1);
      });
      return open;
    });
    advance(code, this.#walked(), body.local("columns"), groups.width);
  }

  /** What is walked from one of what is worked on to the next: not what lies there for a while. */
  #walked(): (Place & Record<"name" | "step", string>)[] {
    const { operands, stores } = this.#body.spec;
    const walked = ({ dtype, along }: Pick<LoopOperand, "dtype" | "along">, name: string) => {
      const addresses = [this.#body.local(name)];
      return { dtype, along, addresses, name, step: stepOf(name) };
    };
    return [
      ...stores.flatMap((own, i) => own.temporary ? [] : [walked(own, `output${i}`)]),
      ...operands.map((own, i) => walked(own, `operand${i}`)),
    ];
  }
}

/** The parameter that says how far an address steps from row to row. */
function stepOf(address: string): string {
  return address.replace(/(?=\d)/, "Step");
}
