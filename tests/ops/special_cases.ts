/** Functions where arguments are zeros, ones, infinities and NaN: as IEEE 754, SciPy and PyTorch. */
import * as cg from "../../mod.ts";

type Tensor = cg.Tensor;

/** A function, its arguments and its results. */
export interface SpecialCase {
  name: string;
  f: (...xs: Tensor[]) => Tensor;
  inputs: number[][];
  expected: number[];
}

const BASES = [0, 1, -1, 2, -2, 0.5, -0.5, Infinity, -Infinity, NaN, 3];

/** What the language's own power makes NaN. */
function power(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (x === -1 && Math.abs(y) === Infinity) return 1;
  return x ** y;
}

const pairs = BASES.flatMap((x) => BASES.map((y) => [x, y] as const));

const ENDS = [0, Infinity, -Infinity, NaN];

/** Functions of one number, and where their domains end or something else happens. */
const DOMAINS = {
  tan: [-0],
  asin: [-0, 1, -1, 2, -1.5],
  acos: [1, -1, 2, -1.5],
  atan: [-0],
  sinh: [-0, 1000, -1000],
  cosh: [-0, 1000, -1000],
  asinh: [-0],
  acosh: [1, 0.5, -1, -3],
  atanh: [-0, 1, -1, 2, -1.5],
  log10: [-0, 1, 1000, -1],
};

/** What is true of numbers, and of pairs of them. */
const TRUTHS: Record<string, { f: (x: Tensor, y: Tensor) => Tensor; expected: number[] }> = {
  isFinite: { f: (x) => cg.isFinite(x), expected: [1, 1, 1, 0, 0, 0] },
  isInf: { f: (x) => cg.isInf(x), expected: [0, 0, 0, 1, 1, 0] },
  logicalNot: { f: (x) => cg.logicalNot(x), expected: [1, 1, 0, 0, 0, 0] },
  logicalAnd: { f: cg.logicalAnd, expected: [0, 0, 0, 1, 1, 0] },
  logicalOr: { f: cg.logicalOr, expected: [0, 1, 1, 1, 1, 1] },
  logicalXor: { f: cg.logicalXor, expected: [0, 1, 1, 0, 0, 1] },
};

/** The cases. */
export const SPECIAL_CASES: readonly SpecialCase[] = [
  {
    name: "pow",
    f: (x, y) => cg.pow(x!, y!),
    inputs: [pairs.map(([x]) => x), pairs.map(([, y]) => y)],
    expected: pairs.map(([x, y]) => power(x, y)),
  },
  ...BASES.map((y): SpecialCase => ({
    name: `pow to ${y}`,
    f: (x) => cg.pow(x!, y),
    inputs: [BASES],
    expected: BASES.map((x) => power(x, y)),
  })),
  {
    name: "lgamma",
    f: (x) => cg.lgamma(x!),
    inputs: [[-Infinity, Infinity, 0, -0, -1, -2, -1e8, 1, 2, NaN]],
    expected: [...new Array(7).fill(Infinity), 0, 0, NaN],
  },
  {
    name: "digamma",
    f: (x) => cg.digamma(x!),
    inputs: [[0, Infinity, -Infinity, -1, -3, NaN]],
    expected: [-Infinity, Infinity, NaN, NaN, NaN, NaN],
  },
  {
    name: "trigamma",
    f: (x) => cg.grad((y: Tensor) => cg.digamma(y).sum())(x!),
    inputs: [[0, Infinity, -1, NaN]],
    expected: [Infinity, 0, Infinity, NaN],
  },
  {
    name: "erf",
    f: (x) => cg.erf(x!),
    inputs: [[0, -0, Infinity, -Infinity, NaN, 40]],
    expected: [0, -0, 1, -1, NaN, 1],
  },
  {
    name: "erfc",
    f: (x) => cg.erfc(x!),
    inputs: [[0, Infinity, -Infinity, NaN, 40, -40]],
    expected: [1, 0, 2, NaN, 0, 2],
  },
  {
    name: "log2",
    f: (x) => cg.log2(x!),
    inputs: [[0, -0, -1, Infinity, NaN, 8]],
    expected: [-Infinity, -Infinity, NaN, Infinity, NaN, 3],
  },
  ...Object.entries(DOMAINS).map(([name, ends]): SpecialCase => ({
    name,
    f: (x) => cg[name as "asin"](x!),
    inputs: [[...ENDS, ...ends]],
    expected: [...ENDS, ...ends].map(Math[name as "asin"]),
  })),
  {
    name: "erfinv",
    f: (x) => cg.erfinv(x!),
    inputs: [[0, -0, 1, -1, 2, -Infinity, NaN]],
    expected: [0, -0, Infinity, -Infinity, NaN, NaN, NaN],
  },
  {
    name: "exp2",
    f: (x) => cg.exp2(x!),
    inputs: [[0, -0, 3, -2, 2000, -2000, Infinity, -Infinity, NaN]],
    expected: [1, 1, 8, 0.25, Infinity, 0, Infinity, 0, NaN],
  },
  ...Object.entries(TRUTHS).map(([name, { f, expected }]): SpecialCase => ({
    name,
    f: (x, y) => cg.cast(f(x!, y!), x!.dtype),
    inputs: [[0, -0, 2, Infinity, -Infinity, NaN], [0, 3, 0, NaN, -1, 0]],
    expected,
  })),
  {
    name: "nanToNum",
    f: (x) => cg.nanToNum(x!, { nan: 1, posInf: 2, negInf: 3 }),
    inputs: [[NaN, Infinity, -Infinity, -0, 4]],
    expected: [1, 2, 3, -0, 4],
  },
  ...[Math.trunc, Math.floor, Math.ceil].map((f): SpecialCase => ({
    name: f.name,
    f: (x) => cg[f.name as "floor"](x!),
    inputs: [[0, -0, 0.5, -0.5, Infinity, -Infinity, NaN, 2 ** 99]],
    expected: [0, -0, 0.5, -0.5, Infinity, -Infinity, NaN, 2 ** 99].map(f),
  })),
  {
    name: "round",
    f: (x) => cg.round(x!),
    inputs: [[0, -0, 0.5, -0.5, 1.5, Infinity, -Infinity, NaN]],
    expected: [0, -0, 0, -0, 2, Infinity, -Infinity, NaN],
  },
];
