/**
 * Fused loops as WebAssembly: chains of elementwise expressions, with reductions of their rows, in
 * registers of four or two elements.
 *
 * @module
 */
import { BYTES } from "../../src/dtype.ts";
import type { CodeBuilder, LocalsOf, Parameters, WasmFunction } from "../wasm/code.ts";
import { hasRelaxedSimd } from "../wasm/features.ts";
import type { ModuleBuilder } from "../wasm/module.ts";
import { i32, type Local } from "../wasm/value.ts";
import { type Accumulator, createAccumulator } from "./accumulators.ts";
import {
  advance,
  eachElement,
  lanesOf,
  pack,
  type Place,
  readGroups,
  readRemainder,
  type Remainder,
  unpack,
  writeGroups,
  writeLane,
} from "./elements.ts";
import { LaneCode } from "./lanes.ts";
import {
  type Assignment,
  type LoopOperand,
  type LoopSpec,
  type LoopStore,
  type Pass,
  planPasses,
  type Reduction,
} from "./passes.ts";
import { Stages } from "./stages.ts";
import { convertTo, type HostMath, importMath, translate, type TypedLanes } from "./typed.ts";

/** A loop in a module. */
export type LoopFunction = WasmFunction<Parameters, null>;

/** Registers side by side: of one row, or, where rows are short, of as many rows. */
const WIDTH = { float32: 4, float64: 2 } as const;

/** Rows of fewer columns are short: with 20 of them, four rows at once take 60 % of the time. */
const SHORT = 64;

/** Of longer ones, two rows at once do not stay in the nearest cache with all that is kept of them. */
const LONG = 512;

/** How many rows a loop works on at a time: as many lie in its temporary stores side by side. */
export function rowsAtOnce({ float, columns = Infinity, over = "row" }: LoopSpec): number {
  if (over !== "row" || columns > LONG) return 1;
  return columns < SHORT ? WIDTH[float] : WIDTH[float] / 2;
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
  return module.addFunction(parametersOf(spec), (builder, locals) => {
    const code = new LaneCode(builder, spec.float, relaxed);
    new LoopWriter(module, code, locals as LocalsOf<Record<string, "i32">>, spec).write();
  });
}

/** What is read or written, and the parameter that has its address. */
type Item = readonly [key: string, LoopOperand & Pick<LoopStore, "temporary">];

function itemsOf({ operands, stores }: LoopSpec): Item[] {
  return [
    ...stores.map((own, i): Item => [`output${i}`, own]),
    ...operands.map((own, i): Item => [`operand${i}`, own]),
  ];
}

/** The parameter that says how far an address steps from row to row. */
function stepOf(address: string): string {
  return address.replace(/(?=\d)/, "Step");
}

/** The parameters of a loop's function, in order. */
function parametersOf(spec: LoopSpec): Parameters {
  const addresses = itemsOf(spec).map(([key]) => key);
  const stages = spec.operands.flatMap(({ turned }, i) => turned ? [`stage${i}`] : []);
  const numbers = spec.parameters?.map((_, i) => `parameter${i}`) ?? [];
  const typed = (names: readonly string[], type: "i32" | "f64") =>
    names.map((name) => [name, type]);
  return Object.fromEntries([
    ...typed([...addresses, ...addresses.map(stepOf), ...stages], "i32"),
    ...typed(numbers, "f64"),
    ...typed(["rows", "columns"], "i32"),
  ]);
}

/** Values by name. */
type Values = Map<string, TypedLanes>;

/** A value that lies somewhere. */
interface Placed {
  name: string;
  place: Place;
}

/** A pass while it is written: its places, by the parameters that have the addresses, walk. */
interface OpenPass {
  places: ReadonlyMap<string, Place>;
  sources: readonly Placed[];
  moving: readonly Assignment[];
  targets: readonly Placed[];
  reductions: readonly Accumulator[];
}

/** Groups of elements of each row, side by side. */
interface Groups {
  width: number;
  /** Of a single one, the elements that there are, or that it is the first only; all by default. */
  remainder?: Remainder | "first" | undefined;
}

/** Writes one loop: row by row, or strip by strip of columns. */
class LoopWriter {
  readonly #builder: CodeBuilder;
  readonly #code: LaneCode;
  readonly #locals: LocalsOf<Record<string, "i32">>;
  readonly #math: HostMath;
  readonly #spec: LoopSpec;
  readonly #passes: readonly Pass[];
  readonly #stages: Stages;
  readonly #items: readonly Item[];
  /** Values that all positions at hand share, the parameters among them. */
  readonly #shared: Values = new Map();

  constructor(
    module: ModuleBuilder,
    code: LaneCode,
    locals: LocalsOf<Record<string, "i32">>,
    spec: LoopSpec,
  ) {
    this.#builder = code.builder;
    this.#code = code;
    this.#locals = locals;
    this.#math = importMath(module);
    this.#spec = spec;
    this.#items = itemsOf(spec);
    spec.parameters?.forEach((name, i) => {
      const value = locals[`parameter${i}`] as Local<"i32" | "f64"> as Local<"f64">;
      this.#shared.set(name, { kind: "float", lanes: code.parameter(value) });
    });
    this.#passes = planPasses(spec);
    this.#stages = new Stages(module, code.builder, locals, spec.operands);
  }

  write(): void {
    const { rows, columns } = this.#locals as Record<"rows" | "columns", Local<"i32">>;
    const width = WIDTH[this.#spec.float];
    if (this.#spec.over === "all") this.#writeRows(1, width);
    else if (this.#spec.over === "column") {
      this.#eachGroups(columns, width, (groups) => this.#writeColumns(groups));
    } else {
      const count = rowsAtOnce(this.#spec);
      const once = (most: number) => () => this.#writeRows(most, width / count);
      if (count > 1) this.#builder.while(i32.geS(rows, count), once(count));
      this.#builder.while(i32.gtS(rows, 0), once(1));
    }
  }

  /** Does what is left of some columns, group by group. */
  #eachGroups(left: Local<"i32">, width: number, write: (groups: Groups) => void): void {
    const [builder, lanes] = [this.#builder, lanesOf(this.#code)];
    if (width > 1) builder.while(i32.geS(left, width * lanes), () => write({ width }));
    builder.while(i32.gtS(left, 0), () => {
      const remainder = { left, whole: builder.let(i32.geS(left, lanes)) };
      write({ width: 1, remainder });
    });
  }

  /** What there is once per row or column comes, passes, and what they amount to goes. */
  #writePasses(rows: number, groups: Groups, walk: (pass: Pass) => OpenPass): void {
    const once = (kind: string) =>
      this.#items.flatMap(([key, { name, moves }]): Placed[] =>
        moves || !key.startsWith(kind) ? [] : [{ name, place: this.#place(key, rows) }]
      );
    this.#read(once("operand"), this.#shared, groups);
    for (const pass of this.#passes) {
      for (const assignment of pass.before) this.#assign(assignment, this.#shared);
      if (pass.stores.length + pass.reductions.length === 0) continue;
      for (const own of walk(pass).reductions) {
        this.#shared.set(own.reduction.name, this.#let(own.finish()));
      }
    }
    this.#write(once("output"), this.#shared, groups);
  }

  /** Some rows at once, `width` groups of elements side by side. */
  #writeRows(count: number, width: number): void {
    const { rows, columns } = this.#locals as Record<"rows" | "columns", Local<"i32">>;
    const [builder, { over }] = [this.#builder, this.#spec];
    if (over !== "all") this.#stages.fill(rows, (i) => this.#locals[`operand${i}`]);
    this.#writePasses(count, { width: 1, remainder: "first" }, (pass) => {
      const accumulate = (own: Reduction) => createAccumulator(this.#code, own, count, width);
      const open = this.#open(pass, count, accumulate);
      const left = builder.let(columns);
      if (over === "all") this.#writeStretches(open, left, width);
      else this.#writeAlong(open, left, width);
      return open;
    });
    for (const { key } of this.#walked()) {
      builder.increase(this.#locals[key]!, i32.mul(this.#locals[stepOf(key)]!, count));
    }
    builder.increase(rows, -count);
    this.#stages.leave(count);
  }

  /** The columns of each row. */
  #writeAlong(open: OpenPass, left: Local<"i32">, width: number): void {
    this.#eachGroups(left, width, (groups) => {
      this.#write(open.targets, this.#compute(open, groups), groups, open.reductions);
      advance(this.#code, open.places.values(), left, groups.width);
    });
  }

  /** The columns of all rows, one row after the other. */
  #writeStretches(open: OpenPass, left: Local<"i32">, width: number): void {
    const [builder, columns] = [this.#builder, this.#locals.columns!];
    const rows = builder.let(this.#locals.rows!);
    this.#stages.rewind();
    const gaps = [...open.places].flatMap(([key, { dtype, addresses, along }]) => {
      if (!key.startsWith("operand")) return [];
      const walked = i32.mul(columns, along! * BYTES[dtype]);
      const gap = builder.let(i32.sub(this.#locals[stepOf(key)]!, walked));
      return [{ address: addresses[0]!, gap }];
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
    const builder = this.#builder;
    this.#writePasses(1, groups, (pass) => {
      const accumulate = (own: Reduction) =>
        createAccumulator(this.#code, own, groups.width, 1, true);
      const open = this.#open(pass, 1, accumulate);
      const rows = builder.let(this.#locals.rows!);
      builder.while(i32.gtS(rows, 0), () => {
        const values = this.#compute(open, groups);
        this.#write(open.targets, values, groups);
        for (const own of open.reductions) own.add(values.get(own.reduction.of)!, 1);
        for (const [key, { addresses }] of open.places) {
          builder.increase(addresses[0]!, this.#locals[stepOf(key)]!);
        }
        builder.increase(rows, -1);
      });
      return open;
    });
    advance(this.#code, this.#walked(), this.#locals.columns!, groups.width);
  }

  /** What is walked from one of what is worked on to the next: not what lies there for a while. */
  #walked(): (Place & { key: string })[] {
    return this.#items.flatMap(([key, { dtype, along, temporary }]) =>
      temporary ? [] : [{ key, dtype, along, addresses: [this.#locals[key]!] }]
    );
  }

  /** Where an operand or output lies in some rows from the current one on, in new variables. */
  #place(key: string, rows: number): Place {
    const { dtype, moves, along, turned, lookup } = this.#items.find(([own]) => own === key)![1];
    const addresses = [this.#builder.let(this.#locals[key]!)];
    while (addresses.length < rows) {
      const next = i32.add(addresses.at(-1)!, this.#locals[stepOf(key)]!);
      addresses.push(this.#builder.let(next));
    }
    if (lookup !== undefined) {
      const positions = this.#items.find(([, { name }]) => name === lookup.positions)![0];
      this.#place(positions, rows).addresses.forEach((at, row) => {
        const skipped = i32.mul(i32.load(at), lookup.step * BYTES[dtype]);
        this.#builder.increase(addresses[row]!, skipped);
      });
    }
    const isAlong = this.#spec.over === "column" || moves;
    return { dtype, addresses, along: turned ? 1 : along ?? Number(isAlong) };
  }

  /** Starts a pass over some rows. */
  #open(pass: Pass, rows: number, accumulate: (own: Reduction) => Accumulator): OpenPass {
    const places = new Map<string, Place>();
    const placed = (name: string, key: string): Placed => {
      const place = places.get(key) ?? this.#place(key, rows);
      places.set(key, place);
      return { name, place };
    };
    return {
      places,
      sources: pass.loads.map(({ name, from, index }) => placed(name, `${from}${index}`)),
      moving: pass.moving,
      targets: pass.stores.map(({ name, output }) => placed(name, `output${output}`)),
      reductions: pass.reductions.map(accumulate),
    };
  }

  /** Reads some groups, and computes with them. */
  #compute({ sources, moving }: OpenPass, groups: Groups): Values {
    const values = new Map(this.#shared);
    this.#read(sources, values, groups);
    for (const assignment of moving) this.#assign(assignment, values);
    return values;
  }

  #read(sources: readonly Placed[], values: Values, { width, remainder }: Groups): void {
    const code = this.#code;
    const places = sources.map(({ place }) => place);
    const packed = typeof remainder === "object"
      ? readRemainder(code, places, remainder)
      : places.map((place) => code.let(readGroups(code, place, width)));
    sources.forEach(({ name, place: { dtype } }, i) =>
      values.set(name, this.#let(unpack(code, dtype, packed[i]!)))
    );
  }

  /** Writes some groups, and reduces those elements of them that there are. */
  #write(
    targets: readonly Placed[],
    values: Values,
    { width, remainder }: Groups,
    reductions: readonly Accumulator[] = [],
  ): void {
    if (targets.length + reductions.length === 0) return;
    const code = this.#code;
    const outgoing = targets.map(({ name, place }) => {
      const packed = code.let(pack(code, place.dtype, values.get(name)!));
      return { ...place, packed };
    });
    const writeAll = () => {
      for (const packed of outgoing) writeGroups(code, packed, width);
      for (const own of reductions) own.add(values.get(own.reduction.of)!, width);
    };
    const writeOne = (lane: number) => {
      for (const packed of outgoing) writeLane(code, packed, lane);
      for (const own of reductions) own.addLane(values.get(own.reduction.of)!, lane);
    };
    if (remainder === undefined) writeAll();
    else if (remainder === "first") writeOne(0);
    else eachElement(code, remainder, writeAll, writeOne);
  }

  /** Computes a value of the values known, and puts it among them. */
  #assign({ name, expression, dtype }: Assignment, values: Values): void {
    const value = translate(expression, this.#code, this.#math, values);
    values.set(name, dtype === undefined ? value : convertTo(this.#code, dtype, value));
  }

  #let(value: TypedLanes): TypedLanes {
    return { ...value, lanes: this.#code.let(value.lanes) };
  }
}
