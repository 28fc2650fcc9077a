/**
 * The algebra of scalars: what the texts of scalar functions are made of.
 *
 * A text builds a graph of operations on numbers of one precision, 32-bit integers that wrap around,
 * and truth values, which TypeScript keeps apart. A printer (`print.ts`) turns the graph into
 * WebAssembly, WGSL or JavaScript, or evaluates it. A value that is used more than once is the same
 * node, and computed once. There are no branches but {@linkcode rarely}.
 *
 * @module
 */

/** The precision of numbers. */
export type Precision = "float32" | "float64";

/** What a value is. */
export type Kind = "float" | "integer" | "truth";

/** What a node does with its operands. */
export type Operation =
  | ("number" | "integer" | "parameter" | "call" | "host" | "choose" | "rarely" | "repeat")
  | ("add" | "sub" | "mul" | "div" | "neg" | "abs" | "sqrt" | "minimum" | "maximum" | "copySign")
  | ("fma" | "fnma" | "floor" | "ceil" | "trunc" | "round" | "opaque")
  | ("shift" | "unshift" | "shiftedInteger" | "toInteger" | "toFloat")
  | ("bits" | "fromBits" | "withBits")
  | ("and" | "or" | "xor" | "shl" | "shrS" | "shrU")
  | ("less" | "lessEqual" | "equal" | "notEqual" | "isNaN" | "both" | "either" | "not");

/** A node of the graph. */
export interface Scalar<K extends Kind = Kind> {
  /** What its value is. */
  readonly kind: K;
  /** The precision of numbers; of other kinds, that of the numbers which they meet. */
  readonly precision: Precision | undefined;
  /** What it does. */
  readonly operation: Operation;
  /** With what. */
  readonly operands: readonly Scalar[];
  /** The value of a constant, the bits of a shift, the name of a parameter or a called function. */
  readonly literal: number | string;
  /** What is repeated: a loop has a node for each of its values. */
  readonly loop?: Loop | undefined;
}

/** A loop: its operands are whether it begins, and the first of each value. */
export interface Loop {
  /** The values at the start of a turn. */
  readonly values: readonly Scalar[];
  /** Those at its end. */
  readonly next: readonly Scalar[];
  /** Whether another turn follows. */
  readonly going: Truth;
  /** The nodes of the values when the loop has ended. */
  readonly results: readonly Scalar[];
}

/** A number. */
export type Float = Scalar<"float">;

/** A 32-bit integer. */
export type Integer = Scalar<"integer">;

/** A truth value. */
export type Truth = Scalar<"truth">;

/** A value, or a constant of the kind and the precision of the values that it meets. */
export type Like<K extends Kind> = Scalar<K> | number;

/** A number, or a constant. */
export type FloatLike = Like<"float">;

/** An integer, or a constant. */
export type IntegerLike = Like<"integer">;

function node<K extends Kind>(
  kind: K,
  operation: Operation,
  operands: readonly Scalar[],
  literal: number | string = 0,
  precision: Precision | undefined = operands.find((x) => x.precision !== undefined)?.precision,
): Scalar<K> {
  return { kind, operation, operands, literal, precision };
}

/** A constant number, rounded to its precision. */
export function number(value: number, precision: Precision): Float {
  const rounded = precision === "float32" ? Math.fround(value) : value;
  return node("float", "number", [], rounded, precision);
}

/** A constant integer. */
export function integer(value: number): Integer {
  return node("integer", "integer", [], value | 0);
}

/** A value that the function is given, by its name; a number by default. */
export function parameter<K extends Kind = "float">(
  name: string,
  precision: Precision,
  kind: K = "float" as K,
): Scalar<K> {
  return node(kind, "parameter", [], name, precision);
}

/** An integer that the function is given, by its name. */
export function integerParameter(name: string): Integer {
  return node("integer", "parameter", [], name);
}

/** The functions of the host's `Math` that serve double precision. */
export const HOST_FUNCTIONS = ["sin", "cos", "tan", "asin", "acos", "atan", "atan2"] as const;

/** The name of one of them. */
export type HostFunction = typeof HOST_FUNCTIONS[number];

/** The value of a function of the host. */
export function host(name: HostFunction, ...operands: Float[]): Float {
  return node("float", "host", operands, name);
}

/** The value of another scalar function (`mod.ts`). */
export function call(name: string, ...operands: FloatLike[]): Float {
  return node("float", "call", lift(operands), name);
}

/** Values of one kind, constants among them lifted to it, and to the precision of the others. */
function lift<K extends Kind>(operands: readonly Like<K>[], precision?: Precision): Scalar<K>[] {
  const known = operands.find((x) => typeof x === "object");
  const float = known?.precision ?? precision;
  if (known?.kind !== "integer" && float === undefined) {
    throw new TypeError("Cannot compute an operation of scalars as all operands are constants");
  }
  const constant = (x: number) => known?.kind === "integer" ? integer(x) : number(x, float!);
  return operands.map((x) => typeof x === "number" ? constant(x) as Scalar as Scalar<K> : x);
}

type Arithmetic = "float" | "integer";
type Unary = (x: Float) => Float;
type FloatBinary = (x: FloatLike, y: FloatLike) => Float;
type Binary = <K extends Arithmetic>(x: Like<K>, y: Like<K>) => Scalar<K>;
type Ternary = (x: FloatLike, y: FloatLike, z: FloatLike) => Float;
type FloatComparison = (x: FloatLike, y: FloatLike) => Truth;
type Comparison = <K extends Arithmetic>(x: Like<K>, y: Like<K>) => Truth;
type Bitwise = (x: IntegerLike, y: IntegerLike) => Integer;
type Shift = (x: Integer, bits: number) => Integer;
type Connective = (x: Truth, y: Truth) => Truth;

const unary = (operation: Operation): Unary => (x) => node("float", operation, [x]);
const floats = (operation: Operation) => (...x: FloatLike[]) =>
  node<"float">("float", operation, lift(x));
const binary = (operation: Operation): Binary => (x, y) => {
  const operands = lift([x, y]);
  return node(operands[0]!.kind, operation, operands);
};
const compare = (operation: Operation): Comparison => (x, y) =>
  node("truth", operation, lift([x, y]));
const shifts = (operation: Operation): Shift => (x, bits) => node("integer", operation, [x], bits);
const connect = (operation: Operation): Connective => (x, y) => node("truth", operation, [x, y]);

/** `x + y`; of integers, the lower 32 bits. */
export const add: Binary = binary("add");
/** `x − y`; of integers, the lower 32 bits. */
export const sub: Binary = binary("sub");
/** `x · y`; of integers, the lower 32 bits. */
export const mul: Binary = binary("mul");
/** `x / y` */
export const div: FloatBinary = floats("div");
/** `−x` */
export const neg: Unary = unary("neg");
/** `|x|` */
export const abs: Unary = unary("abs");
/** `√x` */
export const sqrt: Unary = unary("sqrt");
/** The smaller of two: NaN wins, and −0 is below 0; integers have a sign. */
export const minimum: Binary = binary("minimum");
/** The larger of two: NaN wins, and −0 is below 0; integers have a sign. */
export const maximum: Binary = binary("maximum");
/** `x`, which is not negative, with the sign of `y`. */
export const copySign: FloatBinary = floats("copySign");
/** `x · y + z`, rounded once or twice. */
export const fma: Ternary = floats("fma");
/** `z − x · y`, rounded once or twice. */
export const fnma: Ternary = floats("fnma");
/** The greatest whole number that is at most `x`. */
export const floor: Unary = unary("floor");
/** The least whole number that is at least `x`. */
export const ceil: Unary = unary("ceil");
/** The whole part. */
export const trunc: Unary = unary("trunc");
/** The nearest whole number, an even one of two. */
export const round: Unary = unary("round");
/** `x`, of which compilers know nothing: they must not simplify what is made of it. */
export const opaque: Unary = unary("opaque");

/**
 * The whole number nearest to `x · factor`, which is below 2²² in size, and an integer with its
 * lowest 22 bits, in double precision all of them.
 */
export function nearest(x: Float, factor: number): { number: Float; integer: Integer } {
  const shifted = node("float", "shift", lift([x, factor]));
  return {
    number: node("float", "unshift", [shifted]),
    integer: node("integer", "shiftedInteger", [shifted]),
  };
}

/** The whole part of a number that an integer can be. */
export function toInteger(x: Float): Integer {
  return node("integer", "toInteger", [x]);
}

/** The integer as a number. */
export function toFloat(x: Integer, precision: Precision): Float {
  return node("float", "toFloat", [x], 0, precision);
}

/** The bits of a number; in double precision, the upper half of them. */
export function bits(x: Float): Integer {
  return node("integer", "bits", [x]);
}

/** The number that has these bits; in double precision, the lower half of them is 0. */
export function fromBits(x: Integer, precision: Precision = "float32"): Float {
  return node("float", "fromBits", [x], 0, precision);
}

/** The number with these bits in place of its own; in double precision, of its upper half. */
export function withBits(x: Float, bits: Integer): Float {
  return x.precision === "float32" ? fromBits(bits) : node("float", "withBits", [x, bits]);
}

/** Bits that are set in both. */
export const and: Bitwise = binary("and");
/** Bits that are set in either. */
export const or: Bitwise = binary("or");
/** Bits that are set in one of two. */
export const xor: Bitwise = binary("xor");
/** The bits moved up. */
export const shl: Shift = shifts("shl");
/** The bits moved down, the sign's in their place. */
export const shrS: Shift = shifts("shrS");
/** The bits moved down, zeros in their place. */
export const shrU: Shift = shifts("shrU");

/** The bits moved up, those at the top in place of those at the bottom. */
export function rotate(x: Integer, by: number): Integer {
  return or(shl(x, by), shrU(x, 32 - by));
}

/** `x < y`; integers have a sign. */
export const less: Comparison = compare("less");
/** `x ≤ y` */
export const lessEqual: FloatComparison = compare("lessEqual");
/** `x = y`; both zeros are equal. */
export const equal: Comparison = compare("equal");
/** `x ≠ y`, as NaN is to everything. */
export const notEqual: FloatComparison = compare("notEqual");

/** Whether `x` is NaN. */
export function isNaN(x: Float): Truth {
  return node("truth", "isNaN", [x]);
}

/** Whether both hold. */
export const both: Connective = connect("both");
/** Whether one of them holds. */
export const either: Connective = connect("either");

/** Whether it does not hold. */
export function not(x: Truth): Truth {
  return node("truth", "not", [x]);
}

/** `x` where the condition holds, else `y`; of constants alone, a number. */
export function choose(condition: Truth, x: number, y: number): Float;
export function choose<K extends Kind>(condition: Truth, x: Like<K>, y: Like<K>): Scalar<K>;
export function choose(condition: Truth, x: Like<Kind>, y: Like<Kind>): Scalar {
  const operands = lift([x, y], condition.precision);
  return node(operands[0]!.kind, "choose", [condition, ...operands]);
}

/** `x` where the condition holds, else `y`; what only `x` needs is computed where it may hold. */
export function rarely(condition: Truth, x: Float, y: Float): Float {
  return node("float", "rarely", [condition, x, y]);
}

/** The values after some turns, at least one unless told when they begin; not of truth. */
export function repeat<S extends { readonly [N in keyof S]: Float | Integer }>(
  first: S,
  turn: (values: S) => { going: Truth; next: S },
  begins: Truth = equal(integer(0), 0),
): S {
  const names = Object.keys(first) as (keyof S & string)[];
  const operands = names.map((name): Scalar => first[name]);
  const values = operands.map(({ kind, precision }, i) =>
    node(kind, "parameter", [], names[i], precision)
  );
  const record = (list: readonly Scalar[]) =>
    Object.fromEntries(list.map((x, i) => [names[i]!, x])) as unknown as S;
  const { going, next } = turn(record(values));
  const results: Scalar[] = [];
  const loop: Loop = { values, going, next: names.map((name): Scalar => next[name]), results };
  for (const { kind, precision } of values) {
    results.push({ ...node(kind, "repeat", [begins, ...operands], 0, precision), loop });
  }
  return record(results);
}

/**
 * Added and taken off again, it rounds to whole numbers, which are then the lowest bits: the first
 * number of which neighbours are 1 apart.
 */
export const ROUNDERS: Readonly<Record<Precision, number>> = {
  float32: 1.5 * 2 ** 23,
  float64: 1.5 * 2 ** 52,
};

/** Horner's rule, coefficients from the constant on. */
export function polynomial(x: Float, coefficients: readonly number[]): Float {
  const [first, ...rest] = coefficients.toReversed();
  return rest.reduce<Float>((sum, c) => fma(sum, x, c), number(first!, x.precision!));
}

/** The same for even and odd powers apart, which is faster in double precision, and rounds otherwise. */
export function polynomialByHalves(x: Float, coefficients: readonly number[]): Float {
  const [even, odd] = [0, 1].map((part) => coefficients.filter((_, i) => i % 2 === part));
  const square = mul(x, x);
  return fma(polynomial(square, odd!), x, polynomial(square, even!));
}
