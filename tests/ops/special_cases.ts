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
  ...[Math.floor, Math.ceil].map((f): SpecialCase => ({
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
