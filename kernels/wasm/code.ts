/**
 * Statements: the body of a WebAssembly function, written from top to bottom.
 *
 * @module
 */
import type { DType } from "../../src/dtype.ts";
import { type Code, sized, unsignedLeb128, vector } from "./encoding.ts";
import { opcodeOf } from "./instructions.ts";
import {
  f32,
  f64,
  i32,
  type Local,
  localAt,
  memoryCode,
  type Operand,
  operandCode,
  TYPE_CODES,
  type Value,
  type ValueType,
} from "./value.ts";
import type { LaneBytes } from "./simd.ts";

/** The parameters of a function: their names and types. */
export type Parameters = Readonly<Record<string, ValueType>>;

/** Parameters that are addresses, counts and flags, in this order. */
export function integers<N extends string>(...names: N[]): Readonly<Record<N, "i32">> {
  return Object.fromEntries(names.map((name) => [name, "i32"])) as Record<N, "i32">;
}

/** The parameters as a function's body sees them. */
export type LocalsOf<P extends Parameters> = { readonly [N in keyof P]: Local<P[N]> };

/** The arguments of a call. */
export type ArgumentsOf<P extends Parameters> = { readonly [N in keyof P]: Operand<P[N]> };

/** A function of the module; `R` is `null` where it gives no value. */
export interface WasmFunction<P extends Parameters, R extends ValueType | null> {
  /** Its number. */
  readonly index: number;
  /** Its parameters, in order. */
  readonly parameters: P;
  /** The type of what it gives. */
  readonly result: R;
}

/** What memory can hold: a value, or the lowest byte of an integer. */
export type StoreType = ValueType | "i8";

/** How memory is aligned that is stored to, as a logarithm. */
const ALIGNMENT: Record<StoreType, number> = { i8: 0, i32: 2, f32: 2, f64: 3, v128: 2 };

const [BLOCK, LOOP, IF, ELSE, END] = ["block", "loop", "if", "else", "end"].map(opcodeOf);
const [BRANCH, BRANCH_IF, CALL, SET] = ["br", "br_if", "call", "local.set"].map(opcodeOf);

/** A block that gives no value. */
const VOID = 0x40;

/** The value of a call. */
export function call<P extends Parameters, R extends ValueType>(
  f: WasmFunction<P, R>,
  args: ArgumentsOf<P>,
): Value<R> {
  return { type: f.result, code: callCode(f, args) };
}

function callCode<P extends Parameters>(
  f: WasmFunction<P, ValueType | null>,
  args: ArgumentsOf<P>,
): Code {
  const operands = Object.entries(f.parameters).map(([name, type]) =>
    operandCode(type, args[name]!)
  );
  return [operands, CALL!, unsignedLeb128(f.index)];
}

/** Writes the body of one function. */
export class CodeBuilder {
  readonly #types: ValueType[];
  readonly #parameterCount: number;
  #code: Code[number][] = [];

  /** The function's parameters are its first variables. */
  constructor(parameterTypes: readonly ValueType[]) {
    this.#types = [...parameterTypes];
    this.#parameterCount = parameterTypes.length;
  }

  /** A new variable, 0 at the start of the function. */
  local<T extends ValueType>(type: T): Local<T> {
    this.#types.push(type);
    return localAt(type, this.#types.length - 1);
  }

  /** A new variable with a value. */
  let<T extends ValueType>(value: Value<T>): Local<T> {
    const local = this.local(value.type);
    this.set(local, value as Operand<T>);
    return local;
  }

  /** A place here for statements that turn out to be needed later: hoisted constants. */
  place(): (write: () => void) => void {
    const place: Code[number][] = [];
    this.#code.push(place);
    return (write) => {
      const here = this.#code;
      this.#code = place;
      write();
      this.#code = here;
    };
  }

  /** `local = value` */
  set<T extends ValueType>(local: Local<T>, value: Operand<T>): void {
    const number = unsignedLeb128(local.index);
    this.#code.push(operandCode(local.type, value), SET!, number);
  }

  /** `local += value` */
  increase(local: Local<"i32">, value: Operand<"i32">): void {
    this.set(local, i32.add(local, value));
  }

  /** Writes to memory at `address + offset`, in bytes. */
  store<T extends StoreType>(
    type: T,
    address: Operand<"i32">,
    value: Operand<T extends ValueType ? T : "i32">,
    offset = 0,
  ): void {
    const isByte = type === "i8";
    this.#code.push(
      operandCode("i32", address),
      operandCode(isByte ? "i32" : type, value as Operand<ValueType>),
      memoryCode(isByte ? "i32.store8" : `${type}.store`, ALIGNMENT[type], offset),
    );
  }

  /** Writes one lane of a vector to memory at `address + offset`; lanes have that many bytes. */
  storeLane(
    laneBytes: LaneBytes,
    address: Operand<"i32">,
    vector: Value<"v128">,
    lane: number,
    offset = 0,
  ): void {
    const memory = memoryCode(`v128.store${8 * laneBytes}_lane`, Math.log2(laneBytes), offset);
    this.#code.push(operandCode("i32", address), vector.code, memory, lane);
  }

  /** Sets `bytes` bytes from `address` on to 0. */
  clear(address: Operand<"i32">, bytes: Operand<"i32">): void {
    const operands = [address, 0, bytes].map((x) => operandCode("i32", x));
    this.#code.push(operands, opcodeOf("memory.fill"), 0);
  }

  /** Copies `bytes` bytes; the two places may overlap. */
  copy(to: Operand<"i32">, from: Operand<"i32">, bytes: Operand<"i32">): void {
    const operands = [to, from, bytes].map((x) => operandCode("i32", x));
    this.#code.push(operands, opcodeOf("memory.copy"), 0, 0);
  }

  /** Calls a function that gives no value. */
  call<P extends Parameters>(f: WasmFunction<P, null>, args: ArgumentsOf<P>): void {
    this.#code.push(callCode(f, args));
  }

  /** Does one thing or another. */
  if(condition: Operand<"i32">, then: () => void, otherwise?: () => void): void {
    this.#code.push(operandCode("i32", condition), IF!, VOID);
    then();
    const end = this.#code.push(ELSE!);
    otherwise?.();
    if (this.#code.length === end) this.#code.pop();
    this.#code.push(END!);
  }

  /** Does something while `condition` holds, possibly never. */
  while(condition: Operand<"i32">, body: () => void): void {
    this.#code.push(BLOCK!, VOID, LOOP!, VOID);
    this.#code.push(i32.eqz(condition).code, BRANCH_IF!, 1);
    body();
    this.#code.push(BRANCH!, 0, END!, END!);
  }

  /** Does something at least once, and again while `condition` holds: the fastest loop. */
  repeat(body: () => void, condition: Operand<"i32">): void {
    this.#code.push(LOOP!, VOID);
    body();
    this.#code.push(operandCode("i32", condition), BRANCH_IF!, 0, END!);
  }

  /** Counts from 0 up to below `limit`, which is read anew each time, in steps. */
  for(limit: Operand<"i32">, step: number, body: (index: Local<"i32">) => void): void {
    const index = this.let(i32.const(0));
    this.while(i32.ltS(index, limit), () => {
      body(index);
      this.increase(index, step);
    });
  }

  /** The function's bytes in the code section, ending with the value that it gives. */
  encode(result: Value<ValueType> | null): Code {
    const groups: [count: number, type: ValueType][] = [];
    for (const type of this.#types.slice(this.#parameterCount)) {
      const last = groups.at(-1);
      if (last?.[1] === type) last[0]++;
      else groups.push([1, type]);
    }
    const locals = groups.map(([count, type]) => [unsignedLeb128(count), TYPE_CODES[type]]);
    return sized([vector(locals), this.#code, result?.code ?? [], END!]);
  }
}

/** Reads a number as float64. */
export function loadWide(dtype: Exclude<DType, "bool">, address: Value<"i32">): Value<"f64"> {
  if (dtype === "float64") return f64.load(address);
  return dtype === "float32"
    ? f64.promoteF32(f32.load(address))
    : f64.convertI32S(i32.load(address));
}

/** Writes a float64 as a number of a type. */
export function storeNarrow(
  code: CodeBuilder,
  dtype: Exclude<DType, "bool">,
  address: Value<"i32">,
  x: Value<"f64">,
): void {
  if (dtype === "float64") code.store("f64", address, x);
  else if (dtype === "float32") code.store("f32", address, f32.demoteF64(x));
  else code.store("i32", address, i32.truncSatF64S(x));
}
