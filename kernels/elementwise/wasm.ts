/**
 * Fused loops as WebAssembly: chains of elementwise expressions, with reductions of their rows, in
 * registers of four or two elements.
 *
 * @module
 */
import type { CodeBuilder, WasmFunction } from "../wasm/code.ts";
import { hasRelaxedSimd } from "../wasm/features.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32 } from "../wasm/scalar.ts";
import type { Local, ValueType } from "../wasm/value.ts";
import { type Accumulator, createAccumulator } from "./accumulators.ts";
import { LaneCode, type Lanes } from "./lanes.ts";
import {
  eachOther,
  ELEMENT_BYTES,
  lanesOf,
  loadFirst,
  loadGroups,
  loadOther,
  pack,
  storeGroups,
  storeOne,
  unpack,
} from "./packed.ts";
import { type Assignment, type LoopSpec, type Pass, type PassLoad, planPasses } from "./passes.ts";
import { convertTo, type HostMath, translate, type TypedLanes } from "./typed.ts";

/** A loop in a module. */
export type LoopFunction = WasmFunction<Readonly<Record<string, ValueType>>, null>;

/** Options of {@linkcode emitLoop}. */
export interface EmitOptions {
  /** Whether polynomials may multiply and add at once; where the engine can, by default. */
  relaxed?: boolean | undefined;
}

/** Registers side by side: of one row, or, where rows are short, of as many rows. */
const WIDTH = { float32: 4, float64: 2 } as const;

/** Rows of fewer columns are short. */
const SHORT = 64;

/**
 * Adds a loop over `rows` times `columns` positions to a module.
 *
 * The function takes, in order: the address of every output, the address of every operand, the bytes
 * from row to row of every output, those of every operand, the parameters (f64), and the numbers of
 * rows and columns. Values that move lie side by side along a row. Nothing is read or written beyond
 * the rows. Outputs and operands must not overlap, unless they are the same and there is one pass.
 *
 * Every operation rounds to the type of the loop, as separate operations do. Sums run in float64 in
 * a fixed order: four partial sums in float32 loops, one after the other in float64 loops, both as
 * in `row_reduce/reference.ts`.
 */
export function emitLoop(
  module: ModuleBuilder,
  math: HostMath,
  spec: LoopSpec,
  options: EmitOptions = {},
): LoopFunction {
  const relaxed = options.relaxed ?? hasRelaxedSimd();
  return module.addFunction(parametersOf(spec), (builder, locals) => {
    new LoopWriter(builder, locals, math, spec, relaxed).write();
  });
}

function parametersOf(spec: LoopSpec): Record<string, ValueType> {
  const { operands, stores, parameters = [] } = spec;
  const names = [
    ...stores.map((_, i) => `output${i}`),
    ...operands.map((_, i) => `operand${i}`),
    ...stores.map((_, i) => `outputStep${i}`),
    ...operands.map((_, i) => `operandStep${i}`),
  ];
  return {
    ...Object.fromEntries(names.map((name) => [name, "i32" as const])),
    ...Object.fromEntries(parameters.map((_, i) => [`parameter${i}`, "f64" as const])),
    rows: "i32",
    columns: "i32",
  };
}

/** Where a pass reads or writes: an address per row, which walks along it, and the elements' type. */
interface Cursor {
  addresses: readonly Local<"i32">[];
  dtype: keyof typeof ELEMENT_BYTES;
}

/** A pass while it is written. */
interface OpenPass {
  pass: Pass;
  cursors: Map<string, Cursor>;
  /** How many elements are left of each row. */
  left: Local<"i32">;
  accumulators: { of: string; accumulator: Accumulator }[];
}

/** Writes one loop. */
class LoopWriter {
  readonly #builder: CodeBuilder;
  readonly #code: LaneCode;
  readonly #locals: Readonly<Record<string, Local<ValueType>>>;
  readonly #math: HostMath;
  readonly #spec: LoopSpec;
  readonly #passes: readonly Pass[];
  /** The values that rows have, and parameters. */
  readonly #rowValues = new Map<string, TypedLanes>();

  constructor(
    builder: CodeBuilder,
    locals: Readonly<Record<string, Local<ValueType>>>,
    math: HostMath,
    spec: LoopSpec,
    relaxed: boolean,
  ) {
    this.#builder = builder;
    this.#code = new LaneCode(builder, spec.float, relaxed);
    this.#locals = locals;
    this.#math = math;
    this.#spec = spec;
    this.#passes = planPasses(spec);
  }

  write(): void {
    const { parameters = [], float, columns = Infinity } = this.#spec;
    parameters.forEach((name, i) => {
      const lanes = this.#code.parameter(this.#locals[`parameter${i}`] as Local<"f64">);
      this.#rowValues.set(name, { kind: "float", lanes });
    });
    const rows = this.#local("rows");
    const width = WIDTH[float];
    if (columns < SHORT) {
      this.#builder.while(i32.geS(rows, width), () => this.#writeRows(width, 1));
      this.#builder.while(i32.gtS(rows, 0), () => this.#writeRows(1, 1));
    } else this.#builder.while(i32.gtS(rows, 0), () => this.#writeRows(1, width));
  }

  #local(name: string): Local<"i32"> {
    return this.#locals[name] as Local<"i32">;
  }

  #let(value: TypedLanes): TypedLanes {
    return { ...value, lanes: this.#code.let(value.lanes) };
  }

  /** Some rows at once, `width` groups of elements side by side. */
  #writeRows(count: number, width: number): void {
    const { operands, stores } = this.#spec;
    const builder = this.#builder;
    operands.forEach(({ name, dtype, moves }, i) => {
      if (moves) return;
      const packed = this.#rowAddresses("operand", i, count).map((at) => loadFirst(dtype, at));
      this.#rowValues.set(name, this.#let(unpack(this.#code, dtype, packed)));
    });
    for (const pass of this.#passes) this.#writePass(pass, count, width);
    stores.forEach(({ name, dtype, moves }, i) => {
      if (moves) return;
      const packed = this.#code.let(pack(this.#code, dtype, this.#rowValues.get(name)!));
      this.#rowAddresses("output", i, count).forEach((address, row) =>
        storeOne(builder, dtype, address, packed[row] ?? packed[0]!, 0)
      );
    });
    for (const [kind, list] of [["output", stores], ["operand", operands]] as const) {
      list.forEach((_, i) => {
        const step = i32.mul(this.#local(`${kind}Step${i}`), count);
        builder.increase(this.#local(`${kind}${i}`), step);
      });
    }
    builder.increase(this.#local("rows"), -count);
  }

  #rowAddresses(kind: PassLoad["from"], index: number, count: number): Local<"i32">[] {
    const addresses = [this.#builder.let(this.#local(`${kind}${index}`))];
    while (addresses.length < count) {
      const step = this.#local(`${kind}Step${index}`);
      addresses.push(this.#builder.let(i32.add(addresses.at(-1)!, step)));
    }
    return addresses;
  }

  #writePass(pass: Pass, rows: number, width: number): void {
    for (const assignment of pass.before) {
      this.#rowValues.set(assignment.name, this.#compute(assignment, this.#rowValues));
    }
    if (pass.stores.length + pass.reductions.length === 0) return;
    const builder = this.#builder;
    const open: OpenPass = {
      pass,
      cursors: this.#openCursors(pass, rows),
      left: builder.let(this.#local("columns")),
      accumulators: pass.reductions.map(({ reduce, of }) => ({
        of,
        accumulator: createAccumulator(this.#code, reduce, rows, width),
      })),
    };
    if (width > 1) {
      const elements = width * lanesOf(this.#code);
      builder.while(i32.geS(open.left, elements), () => this.#writeGroups(open, width));
    }
    builder.while(i32.gtS(open.left, 0), () => this.#writeLast(open));
    pass.reductions.forEach(({ name }, i) => {
      this.#rowValues.set(name, this.#let(open.accumulators[i]!.accumulator.finish()));
    });
  }

  #openCursors({ loads, stores }: Pass, rows: number): Map<string, Cursor> {
    const cursors = new Map<string, Cursor>();
    const open = (kind: PassLoad["from"], index: number) => {
      const key = `${kind}${index}`;
      if (cursors.has(key)) return;
      const { dtype } = (kind === "operand" ? this.#spec.operands : this.#spec.stores)[index]!;
      cursors.set(key, { addresses: this.#rowAddresses(kind, index, rows), dtype });
    };
    for (const { from, index } of loads) open(from, index);
    for (const { output } of stores) open("output", output);
    return cursors;
  }

  /** Whole groups of elements of one row, side by side. */
  #writeGroups({ pass, cursors, left, accumulators }: OpenPass, width: number): void {
    const code = this.#code;
    const packed = pass.loads.map(({ from, index }) => {
      const { addresses, dtype } = cursors.get(`${from}${index}`)!;
      return code.let(loadGroups(code, dtype, addresses[0]!, width));
    });
    const values = this.#computeAll(pass, cursors, packed);
    for (const { name, output } of pass.stores) {
      const { addresses, dtype } = cursors.get(`output${output}`)!;
      const registers = code.let(pack(code, dtype, values.get(name)!));
      storeGroups(code, dtype, addresses[0]!, registers, width);
    }
    for (const { of, accumulator } of accumulators) accumulator.add(values.get(of)!, width);
    this.#advance(cursors, left, width);
  }

  /** One group of each row, of which elements may be missing: their lanes repeat the first one. */
  #writeLast(open: OpenPass): void {
    const { pass, cursors, left, accumulators } = open;
    const [code, builder] = [this.#code, this.#builder];
    const whole = builder.let(i32.geS(left, lanesOf(code)));
    const values = this.#computeAll(pass, cursors, this.#loadLast(open, whole));
    const stores = pass.stores.map(({ name, output }) => {
      const { addresses, dtype } = cursors.get(`output${output}`)!;
      const packed = code.let(pack(code, dtype, values.get(name)!));
      return { dtype, rows: addresses.map((at, i) => [at, packed[i] ?? packed[0]!] as const) };
    });
    const storeLane = (lane: number) => {
      for (const { dtype, rows } of stores) {
        for (const [address, register] of rows) storeOne(builder, dtype, address, register, lane);
      }
      for (const { of, accumulator } of accumulators) accumulator.addLane(values.get(of)!, lane);
    };
    builder.if(whole, () => {
      for (const { dtype, rows } of stores) {
        for (const [address, register] of rows) storeGroups(code, dtype, address, [register], 1);
      }
      for (const { of, accumulator } of accumulators) accumulator.add(values.get(of)!, 1);
    }, () => {
      storeLane(0);
      eachOther(code, left, storeLane);
    });
    this.#advance(cursors, left, 1);
  }

  #loadLast({ pass, cursors, left }: OpenPass, whole: Local<"i32">): Lanes[] {
    const [code, builder] = [this.#code, this.#builder];
    const loads = pass.loads.map(({ from, index }) => {
      const { addresses, dtype } = cursors.get(`${from}${index}`)!;
      return { dtype, rows: addresses.map((at) => [at, builder.local("v128")] as const) };
    });
    builder.if(whole, () => {
      for (const { dtype, rows } of loads) {
        for (const [at, register] of rows) {
          builder.set(register, loadGroups(code, dtype, at, 1)[0]!);
        }
      }
    }, () => {
      for (const { dtype, rows } of loads) {
        for (const [at, register] of rows) builder.set(register, loadFirst(dtype, at));
      }
      eachOther(code, left, (lane) => {
        for (const { dtype, rows } of loads) {
          for (const [at, register] of rows) loadOther(builder, dtype, at, register, lane);
        }
      });
    });
    return loads.map(({ rows }) => rows.map(([, register]) => register));
  }

  #advance(cursors: Map<string, Cursor>, left: Local<"i32">, width: number): void {
    const elements = width * lanesOf(this.#code);
    for (const { addresses, dtype } of cursors.values()) {
      for (const at of addresses) this.#builder.increase(at, elements * ELEMENT_BYTES[dtype]);
    }
    this.#builder.increase(left, -elements);
  }

  #computeAll(
    { loads, moving }: Pass,
    cursors: Map<string, Cursor>,
    packed: readonly Lanes[],
  ): Map<string, TypedLanes> {
    const values = new Map(this.#rowValues);
    loads.forEach(({ name, from, index }, i) => {
      const { dtype } = cursors.get(`${from}${index}`)!;
      values.set(name, this.#let(unpack(this.#code, dtype, packed[i]!)));
    });
    for (const assignment of moving) {
      values.set(assignment.name, this.#compute(assignment, values));
    }
    return values;
  }

  #compute({ expression, dtype }: Assignment, values: Map<string, TypedLanes>): TypedLanes {
    const code = this.#code;
    const scope = { code, math: this.#math, valueOf: (name: string) => values.get(name)! };
    const value = translate(expression, scope);
    return this.#let(dtype === undefined ? value : convertTo(code, dtype, value));
  }
}
