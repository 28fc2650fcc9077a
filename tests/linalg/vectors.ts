/** What PyTorch gives, as arguments and results of ours. */
import { assertEquals } from "@std/assert";
import { cos, type DType, grad, type Tensor, tensor } from "../../mod.ts";
import * as linalg from "../../src/linalg/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import vectors from "./torch.json" with { type: "json" };

interface Packed {
  shape: number[];
  data: string;
}

type Packages = Readonly<Record<string, Packed | undefined>>;

/** A function of PyTorch with its results and gradients. */
export interface Case {
  function: string;
  title: string;
  options: object;
  inputs: Packages;
  outputs: Packages;
  gradients: Packages;
}

/** All of them. */
export const CASES: readonly Case[] = vectors.cases;

/** Tensors by name. */
export type Tensors = Record<string, Tensor>;

/** The arrays of a case as tensors. */
export function unpack(packages: Packages, dtype: DType = "float64"): Tensors {
  return Object.fromEntries(
    Object.entries(packages).flatMap(([name, packed]) => {
      if (packed === undefined) return [];
      const { shape, data } = packed;
      const numbers = data === "" ? [] : data.split(" ").map(Number);
      return [[name, tensor(numbers, { shape, dtype })]];
    }),
  );
}

/** A function of ours, as the cases name what goes in and what comes out. */
// deno-lint-ignore no-explicit-any
type Run = (inputs: Tensors, options: any) => Tensors;

const FUNCTIONS: Readonly<Record<string, Run>> = {
  cholesky: ({ a }) => ({ output: linalg.cholesky(a!) }),
  solveTriangular: ({ a, b }, options) => ({ output: linalg.solveTriangular(a!, b!, options) }),
  solve: ({ a, b }) => ({ output: linalg.solve(a!, b!) }),
  inverse: ({ a }) => ({ output: linalg.inverse(a!) }),
  det: ({ a }) => ({ output: linalg.det(a!) }),
  logDet: ({ a }) => ({ ...linalg.logDet(a!) }),
  eigh({ a }) {
    const { values, vectors } = linalg.eigh(a!);
    return { values, squares: vectors.square() };
  },
  svd({ a }) {
    const { u, s, vt } = linalg.svd(a!);
    const product = u.mul(s.cos().expandDims(-2)).matmul(vt);
    return { u: u.square(), s, vt: vt.square(), product };
  },
  qr: ({ a }) => ({ ...linalg.qr(a!) }),
  pinv: ({ a }) => ({ output: linalg.pinv(a!) }),
};

/** The sum of which the cases hold gradients: Σ y · cos(position). */
function weigh({ sign: _, ...outputs }: Tensors): Tensor {
  const terms = Object.values(outputs).map((y) => {
    const positions = tensor(Float64Array.from({ length: y.size }, (_, i) => i));
    return y.mul(cos(positions).cast(y.dtype).reshape(y.shape)).sum();
  });
  return terms.reduce((a, b) => a.add(b));
}

/** Results by name, and gradients by input. */
export interface Everything {
  outputs: Tensors;
  gradients: Tensors;
}

/** What ours gives in place of PyTorch's. */
export function everything(c: Case, inputs: Tensors): Everything {
  const run = (given: Tensors) => FUNCTIONS[c.function]!(given, c.options);
  const gradients = grad((given: Tensors) => weigh(run(given)))(inputs) as Tensors;
  return { outputs: run(inputs), gradients };
}

/** Asserts that results and gradients are those of the case. */
export function assertLike(
  c: Case,
  found: Everything,
  tolerance: { rtol: number; atol: number },
): void {
  const expected = { outputs: unpack(c.outputs), gradients: unpack(c.gradients) };
  for (const kind of ["outputs", "gradients"] as const) {
    assertEquals(Object.keys(found[kind]).sort(), Object.keys(expected[kind]).sort());
    for (const [name, x] of Object.entries(expected[kind])) {
      assertAllClose(found[kind][name]!.cast("float64"), x, tolerance);
    }
  }
}
