/**
 * The inside of loops: operands, parameters and assignments by name.
 *
 * @module
 */
import { BYTES, type DType } from "../../src/dtype.ts";
import type { CodeBuilder } from "../wasm/code.ts";
import { i32, type Local, type ValueType } from "../wasm/value.ts";
import { type Outgoing, pack, type Place, unpack } from "./elements.ts";
import { LaneCode, type Lanes } from "./lanes.ts";
import type { Assignment, LoopOperand, LoopSpec, Pass, PassLoad } from "./passes.ts";
import { convertTo, type HostMath, translate, type TypedLanes } from "./typed.ts";

/** The parameters of a loop as its body sees them. */
export type LoopLocals = Readonly<Record<string, Local<ValueType>>>;

/** Values by name. */
export type Values = Map<string, TypedLanes>;

/** The parameters of a loop's function, in order. */
export function loopParameters({ operands, stores, parameters = [] }: LoopSpec): Record<
  string,
  ValueType
> {
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
  readonly #locals: LoopLocals;
  readonly #math: HostMath;

  /** The parameters come first; `relaxed` as in {@linkcode LaneCode}. */
  constructor(
    builder: CodeBuilder,
    locals: LoopLocals,
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
    const { operands, stores } = this.spec;
    const { dtype } = (kind === "operand" ? operands : stores)[index]!;
    const { along = 1, turned, lookup }: Partial<LoopOperand> = kind === "operand"
      ? operands[index]!
      : {};
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
    return { dtype, addresses, along: turned ? 1 : along };
  }

  /** Where a pass reads and writes, by kind and number. */
  places({ loads, stores }: Pass, rows = 1): Map<string, Place> {
    const used = [
      ...loads.map(({ from, index }) => [from, index] as const),
      ...stores.map(({ output }) => ["output", output] as const),
    ];
    const places = new Map<string, Place>();
    for (const [kind, index] of used) {
      const key = `${kind}${index}`;
      if (!places.has(key)) places.set(key, this.place(kind, index, rows));
    }
    return places;
  }

  /** What was read, as what is computed with. */
  unpack(dtype: DType, packed: Lanes): TypedLanes {
    return this.let(unpack(this.code, dtype, packed));
  }

  /** A value on its way to a place. */
  pack(value: TypedLanes, place: Place): Outgoing {
    return { ...place, packed: this.code.let(pack(this.code, place.dtype, value)) };
  }

  /** Computes a value of the values known, and puts it among them. */
  assign({ name, expression, dtype }: Assignment, values: Values): void {
    const { code } = this;
    const valueOf = (known: string) => values.get(known)!;
    const value = translate(expression, { code, math: this.#math, valueOf });
    values.set(name, dtype === undefined ? value : convertTo(code, dtype, value));
  }
}
