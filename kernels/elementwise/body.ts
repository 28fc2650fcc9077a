/**
 * The inside of loops: operands, parameters and assignments by name.
 *
 * @module
 */
import { BYTES } from "../../src/dtype.ts";
import type { CodeBuilder, LocalsOf, Parameters } from "../wasm/code.ts";
import { i32, type Local } from "../wasm/value.ts";
import type { Accumulator } from "./accumulators.ts";
import {
  eachElement,
  type Outgoing,
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
import type { Assignment, LoopOperand, LoopSpec, Pass, PassLoad, Reduction } from "./passes.ts";
import { convertTo, type HostMath, translate, type TypedLanes } from "./typed.ts";

/** Values by name. */
export type Values = Map<string, TypedLanes>;

/** A value that lies somewhere. */
export interface Placed {
  /** The name. */
  name: string;
  /** Where it lies. */
  place: Place;
}

/** A pass while it is written. */
export interface OpenPass {
  /** Where it reads and writes, by kind and number; the addresses walk. */
  places: ReadonlyMap<string, Place>;
  /** What it reads. */
  sources: readonly Placed[];
  /** What it computes. */
  moving: readonly Assignment[];
  /** What it writes. */
  targets: readonly Placed[];
  /** What it reduces. */
  reductions: readonly Accumulator[];
}

/** Groups of elements of each row, side by side. */
export interface Groups {
  /** How many. */
  width: number;
  /** Of a single one, the elements that there are, or that it is the first only; all by default. */
  remainder?: Remainder | "first" | undefined;
}

/** The parameters of a loop's function, in order. */
export function loopParameters({ operands, stores, parameters = [] }: LoopSpec): Parameters {
  const integers = [
    ...stores.map((_, i) => `output${i}`),
    ...operands.map((_, i) => `operand${i}`),
    ...stores.map((_, i) => `outputStep${i}`),
    ...operands.map((_, i) => `operandStep${i}`),
    ...operands.flatMap(({ turned }, i) => turned ? [`stage${i}`] : []),
  ];
  return {
    ...Object.fromEntries(integers.map((name) => [name, "i32" as const])),
    ...Object.fromEntries(parameters.map((_, i) => [`parameter${i}`, "f64" as const])),
    rows: "i32",
    columns: "i32",
  };
}

/** Writes what loops compute. */
export class BodyWriter {
  /** The function. */
  readonly builder: CodeBuilder;
  /** The same, for vectors. */
  readonly code: LaneCode;
  /** What the loop does. */
  readonly spec: LoopSpec;
  /** Values that all positions at hand share, the parameters among them. */
  readonly shared: Values = new Map();
  readonly #locals: LocalsOf<Parameters>;
  readonly #math: HostMath;

  /** The parameters come first; `relaxed` as in {@linkcode LaneCode}. */
  constructor(
    builder: CodeBuilder,
    locals: LocalsOf<Parameters>,
    math: HostMath,
    spec: LoopSpec,
    relaxed: boolean,
  ) {
    this.builder = builder;
    this.code = new LaneCode(builder, spec.float, relaxed);
    this.spec = spec;
    this.#locals = locals;
    this.#math = math;
    spec.parameters?.forEach((name, i) => {
      const lanes = this.code.parameter(locals[`parameter${i}`] as Local<"f64">);
      this.shared.set(name, { kind: "float", lanes });
    });
  }

  /** An integer parameter of the function. */
  local(name: string): Local<"i32"> {
    return this.#locals[name] as Local<"i32">;
  }

  /** The value in variables. */
  let(value: TypedLanes): TypedLanes {
    return { ...value, lanes: this.code.let(value.lanes) };
  }

  /** Where an operand or output lies in some rows from the current one on, in new variables. */
  place(kind: PassLoad["from"], index: number, rows = 1): Place {
    const { operands, stores, over } = this.spec;
    const { dtype, moves, along, turned, lookup }: LoopOperand = kind === "operand"
      ? operands[index]!
      : stores[index]!;
    const addresses = [this.builder.let(this.local(`${kind}${index}`))];
    while (addresses.length < rows) {
      const step = this.local(`${kind}Step${index}`);
      addresses.push(this.builder.let(i32.add(addresses.at(-1)!, step)));
    }
    if (lookup !== undefined) {
      const positions = operands.findIndex(({ name }) => name === lookup.positions);
      this.place("operand", positions, rows).addresses.forEach((at, row) => {
        const skipped = i32.mul(i32.load(at), lookup.step * BYTES[dtype]);
        this.builder.increase(addresses[row]!, skipped);
      });
    }
    const isAlong = turned || over === "column" || moves;
    return { dtype, addresses, along: turned ? 1 : along ?? Number(isAlong) };
  }

  /** Starts a pass over some rows. */
  open(
    { loads, moving, stores, reductions }: Pass,
    rows: number,
    accumulate: (reduction: Reduction) => Accumulator,
  ): OpenPass {
    const places = new Map<string, Place>();
    const placed = (name: string, kind: PassLoad["from"], index: number): Placed => {
      const key = `${kind}${index}`;
      const place = places.get(key) ?? this.place(kind, index, rows);
      places.set(key, place);
      return { name, place };
    };
    return {
      places,
      sources: loads.map(({ name, from, index }) => placed(name, from, index)),
      moving,
      targets: stores.map(({ name, output }) => placed(name, "output", output)),
      reductions: reductions.map(accumulate),
    };
  }

  /** Reads some groups, and computes with them. */
  compute({ sources, moving }: OpenPass, groups: Groups): Values {
    const values = new Map(this.shared);
    this.read(sources, values, groups);
    for (const assignment of moving) this.assign(assignment, values);
    return values;
  }

  /** Reads some groups into variables. */
  read(sources: readonly Placed[], values: Values, { width, remainder }: Groups): void {
    const { code } = this;
    const places = sources.map(({ place }) => place);
    const packed = typeof remainder === "object"
      ? readRemainder(code, places, remainder)
      : places.map((place) => code.let(readGroups(code, place, width)));
    sources.forEach(({ name, place: { dtype } }, i) =>
      values.set(name, this.let(unpack(code, dtype, packed[i]!)))
    );
  }

  /** Writes some groups, and reduces those elements of them that there are. */
  write(
    targets: readonly Placed[],
    values: Values,
    { width, remainder }: Groups,
    reductions: readonly Accumulator[] = [],
  ): void {
    if (targets.length + reductions.length === 0) return;
    const { code } = this;
    const outgoing = targets.map(({ name, place }) => this.pack(values.get(name)!, place));
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

  /** A value on its way to a place. */
  pack(value: TypedLanes, place: Place): Outgoing {
    return { ...place, packed: this.code.let(pack(this.code, place.dtype, value)) };
  }

  /** Makes known what reductions amount to. */
  close({ reductions }: OpenPass): void {
    for (const own of reductions) this.shared.set(own.reduction.name, this.let(own.finish()));
  }

  /** Computes a value of the values known, and puts it among them. */
  assign({ name, expression, dtype }: Assignment, values: Values): void {
    const value = translate(expression, this.code, this.#math, values);
    values.set(name, dtype === undefined ? value : convertTo(this.code, dtype, value));
  }
}
