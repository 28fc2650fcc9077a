/** One valid call of every function of `./linalg`. */
import * as cg from "../../mod.ts";
import * as linalg from "../../src/linalg/mod.ts";
import type { ValidCall } from "./valid_calls.ts";

const square = () => cg.tensor([[4, 1], [1, 3]]);
const row = (name: keyof typeof linalg, args: () => unknown[], options?: number): ValidCall => ({
  name,
  f: linalg[name] as ValidCall["f"],
  args,
  ...(options === undefined ? {} : { options }),
});

const UNARY = ["cholesky", "inverse", "det", "logDet", "eigh", "svd", "qr", "pinv"] as const;

export const VALID_LINALG: readonly ValidCall[] = [
  ...UNARY.map((name) => row(name, () => [square()])),
  row("solve", () => [square(), [1, 2]]),
  row("solveTriangular", () => [square(), [[1], [2]], { lower: false, transpose: true }], 2),
];
