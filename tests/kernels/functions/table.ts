/** What the tests know of each scalar function: where it is tried, and how far it may be off. */
import { scalarFunction } from "./scalar_function.ts";

/** An error that is allowed, in units in the last place of single precision. */
export interface Bounds {
  /** By JavaScript and by WebAssembly, with or without multiplying and adding at once. */
  ulp: number;
  /** By WGSL on the software adapter, for normal results. */
  wgsl: number;
}

/** A function of the table. */
export interface Row extends Bounds {
  /** Its name. */
  name: string;
  /** Its value in double precision. */
  exact: (...x: number[]) => number;
  /** The second operands that it is tried with. */
  others?: readonly number[];
}

/** Elementary functions in double precision, and by how many numbers a value may be off. */
export const DOUBLE: readonly (readonly [name: string, places: number])[] = [
  ...[["exp", 1], ["expm1", 2], ["log", 1], ["log1p", 1], ["exp2", 1], ["log2", 1]] as const,
  ...[["log10", 1], ["sinh", 3], ["cosh", 2], ["tanh", 3], ["asinh", 2], ["acosh", 2]] as const,
  ["atanh", 2],
];

const SPECIAL = [0, -0, 0.5, -0.5, 1, -1, 2, -2, 3, -3, 1.5, 7.3, -101, 100, 2 ** 25, 1e-40, 3e38]
  .concat([Infinity, -Infinity, NaN]);

/** The remainder with the sign of the divisor, as Python has it. */
function remainder(x: number, y: number): number {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return rest < 0 === y < 0 ? rest : rest + y;
}

function row(name: string, ulp: number, wgsl: number, others?: readonly number[]): Row {
  const given = others === undefined ? {} : { others };
  return { name, ulp, wgsl, exact: scalarFunction(name), ...given };
}

/** The functions of which double precision knows all digits of single precision. */
export const KNOWN: readonly Row[] = [
  row("exp", 1, 1.8),
  row("expm1", 1.6, 1.6),
  row("log", 0.85, 1),
  row("log1p", 1.1, 1.1),
  row("tanh", 2.5, 2.6),
  row("sin", 2.4, 2.5),
  row("cos", 2.5, 2.5),
  row("exp2", 1, 1.3),
  row("log2", 0.7, 0.8),
  row("log10", 0.7, 0.8),
  row("sinh", 1.6, 1.6),
  row("cosh", 1.3, 1.5),
  row("asinh", 1.6, 1.6),
  row("acosh", 1.8, 1.8),
  row("atanh", 1.9, 1.9),
  row("tan", 4, 5),
  row("asin", 2.4, 2.5),
  row("acos", 2, 2.5),
  row("atan", 1.5, 2.5),
  row("atan2", 2, 2.5, SPECIAL),
  row("pow", 1.1, 2, SPECIAL),
  row("floor", 0, 0),
  row("ceil", 0, 0),
  row("round", 0, 0),
  row("trunc", 0, 0),
  { ...row("mod", 0.5, 0.5, [1, -1, 0.75, -3, Infinity, NaN, 0]), exact: remainder },
];

/** A function that is written in both precisions, with the errors that are allowed. */
export interface Reference {
  /** Its name; `references.json` has its values. */
  name: string;
  /** The error in single precision, by each printer, relative to the value or to `floor`. */
  single: number;
  /** The error in double precision, likewise. */
  double: number;
  /** What errors next to roots are relative to, for positive arguments; 1 for others. */
  floor: number;
}

/** The functions that are written in both precisions. */
export const WRITTEN: readonly Reference[] = [
  { name: "lgamma", single: 1e-6, double: 1e-13, floor: 0 },
  { name: "polygamma0", single: 2e-6, double: 1e-13, floor: 1 },
  { name: "polygamma1", single: 1e-6, double: 1e-13, floor: 0 },
  { name: "polygamma2", single: 1e-6, double: 1e-13, floor: 0 },
  { name: "polygamma3", single: 1.5e-6, double: 1e-13, floor: 0 },
  { name: "polygamma4", single: 2e-6, double: 1e-13, floor: 0 },
  { name: "erf", single: 3e-7, double: 1e-15, floor: 0 },
  { name: "erfc", single: 1e-6, double: 4e-15, floor: 0 },
  { name: "erfinv", single: 3e-7, double: 2e-15, floor: 0 },
];
