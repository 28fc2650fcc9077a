/**
 * Operands that lie turned, as columns of a matrix do where a loop goes along rows: some rows of them
 * are turned around at a time.
 *
 * @module
 */
import { BYTES } from "../../src/dtype.ts";
import { emitTranspose, type TiledBytes, tiledRows } from "../layout/tiles.ts";
import type { CodeBuilder, LocalsOf } from "../wasm/code.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32, type Local } from "../wasm/value.ts";
import type { LoopOperand } from "./passes.ts";

/** An operand that lies turned: its number, and how it is walked. */
interface Turned {
  i: number;
  size: TiledBytes;
  along: number;
  source: Local<"i32">;
}

/** Some rows of operands that lie turned, the right way round. */
export class Stages {
  readonly #module: ModuleBuilder;
  readonly #builder: CodeBuilder;
  readonly #locals: LocalsOf<Record<string, "i32">>;
  readonly #sources: readonly Turned[];
  /** How many of the rows are left, of how many. */
  readonly #left: Local<"i32">;
  readonly #height: number;

  /** `locals`: the parameters of the loop. */
  constructor(
    module: ModuleBuilder,
    builder: CodeBuilder,
    locals: LocalsOf<Record<string, "i32">>,
    operands: readonly LoopOperand[],
  ) {
    this.#module = module;
    this.#builder = builder;
    this.#locals = locals;
    this.#left = builder.let(i32.const(0));
    this.#sources = operands.flatMap(({ dtype, along, turned }, i) => {
      if (!turned) return [];
      const size = BYTES[dtype] as TiledBytes;
      return [{ i, size, along: along! * size, source: builder.let(locals[`operand${i}`]!) }];
    });
    this.#height = Math.min(...this.#sources.map(({ size }) => tiledRows(size)));
  }

  /** Starts from the first row again. */
  rewind(): void {
    this.#builder.set(this.#left, i32.const(0));
    for (const { i, source } of this.#sources) {
      this.#builder.set(source, this.#locals[`operand${i}`]!);
    }
  }

  /** Turns the next rows around where none is left, for operands with an address to read them at. */
  fill(rows: Local<"i32">, addressOf: (i: number) => Local<"i32"> | undefined): void {
    if (this.#sources.length === 0) return;
    const [builder, locals] = [this.#builder, this.#locals];
    builder.if(i32.leS(this.#left, 0), () => {
      for (const { i, size, along, source } of this.#sources) {
        const address = addressOf(i);
        if (address === undefined) continue;
        builder.call(emitTranspose(this.#module, size), {
          ...{ to: locals[`stage${i}`]!, pitch: locals[`operandStep${i}`]! },
          ...{ from: source, step: along, rows, columns: locals.columns! },
        });
        builder.increase(source, this.#height * size);
        builder.set(address, locals[`stage${i}`]!);
      }
      builder.set(this.#left, i32.const(this.#height));
    });
  }

  /** Counts rows that are done. */
  leave(count: number): void {
    if (this.#sources.length > 0) this.#builder.increase(this.#left, -count);
  }
}
