/**
 * Compares a function with golden vectors: values, gradients and further outputs.
 *
 * @module
 */
import { type Tensor, tensor, valueAndGrad } from "@cellgrad/cellgrad";
import { assert } from "@std/assert";
import { optimize } from "../../src/program/optimize.ts";
import { CpuExecutable } from "../../src/backends/cpu/executable.ts";
import { record } from "../../src/program/record.ts";

/** An array of a golden file. */
export interface GoldenArray {
  shape: readonly number[];
  data: readonly number[];
  dtype?: string;
}

type Named<T> = Readonly<Record<string, T | undefined>>;

/** One set of inputs and results. */
export interface GoldenCase {
  id: string;
  inputs: Named<GoldenArray>;
  params: Named<GoldenParam>;
  value: number;
  grads: Named<GoldenArray>;
  outputs?: Named<GoldenArray | number>;
  tol?: { rtol: number; atol: number };
  note?: string;
}

/** A parameter of a golden case. */
export type GoldenParam = number | string | boolean | null;

/** A golden file. */
export interface GoldenFile {
  loss: string;
  source: string;
  cases: readonly GoldenCase[];
}

/** The value, or the value and further results by their names in `outputs`. */
export type GoldenResult = Tensor | { value: Tensor; outputs: Readonly<Record<string, Tensor>> };

/** The function under test: the inputs and parameters of a case by name. */
export type GoldenFunction = (
  // deno-lint-ignore no-explicit-any
  inputs: Record<string, any> & Record<string, Tensor>,
  // deno-lint-ignore no-explicit-any
  params: Record<string, any>,
) => GoldenResult;

/** Options of {@linkcode checkGolden}. */
export interface GoldenOptions {
  /** Which cases to leave out in float32, besides those about clamping and saturation. */
  skipFloat32?: (c: GoldenCase) => boolean;
  /** Which cases to check at all; by default every one. */
  only?: (c: GoldenCase) => boolean;
}

/** Cases that ask for more digits than float32 has. */
export const ILL_CONDITIONED: RegExp =
  /clamp|saturat|probability_zero_and_one|very_large_logits|large_values/;

/** Checks every case in float64, and the well-conditioned ones in float32; eager and compiled. */
export function checkGolden(file: unknown, f: GoldenFunction, options: GoldenOptions = {}): void {
  const golden = file as GoldenFile;
  const cases = golden.cases.filter(options.only ?? (() => true));
  assert(cases.length > 0, `${golden.loss} has no such cases`);
  for (const c of cases) {
    checkCase(golden.loss, c, f, "float64");
    const hard = ILL_CONDITIONED.test(`${c.id} ${c.note ?? ""}`) || options.skipFloat32?.(c);
    if (!hard) checkCase(golden.loss, c, f, "float32");
  }
}

function checkCase(
  loss: string,
  c: GoldenCase,
  f: GoldenFunction,
  dtype: "float64" | "float32",
): void {
  const tol = dtype === "float32"
    ? { rtol: 2e-5, atol: 2e-6 }
    : c.tol ?? { rtol: 1e-9, atol: 1e-10 };
  const inputs = Object.fromEntries(
    Object.entries(c.inputs).flatMap(([name, x]) => x ? [[name, toTensor(x, dtype)]] : []),
  );
  const params = { ...c.params };
  const wanted = Object.keys(c.grads).filter((name) => c.grads[name] !== undefined);
  const compute = (moving: Record<string, Tensor>) => {
    const result = f({ ...inputs, ...moving }, params);
    return "outputs" in result
      ? [result.value, result.outputs] as const
      : [result, {} as Record<string, Tensor>] as const;
  };
  const names = Object.keys(c.outputs ?? {}).filter((name) => c.outputs![name] !== undefined);
  /** The value, the gradients and the further outputs, in this order. */
  const computeAll = (given: readonly Tensor[]): Tensor[] => {
    const moving = Object.fromEntries(wanted.map((name, i) => [name, given[i]!]));
    const [[value, outputs], gradients] = wanted.length === 0
      ? [compute({}), {} as Record<string, Tensor>]
      : valueAndGrad(compute, { hasAux: true })(moving);
    const at = `${loss}, case ${c.id}, ${dtype}`;
    for (const name of names) assert(outputs[name], `${at}: output ${name} is missing`);
    return [value, ...wanted.map((name) => gradients[name]!), ...names.map((n) => outputs[n]!)];
  };
  const given = wanted.map((name) => inputs[name]!);
  const program = new CpuExecutable(optimize(record(given, computeAll)));
  for (const [way, results] of [["eager", computeAll(given)], ["compiled", program.run(given)]]) {
    const at = `${loss}, case ${c.id}, ${dtype}, ${way}`;
    const [value, ...others] = results as Tensor[];
    compare(`${at}: value`, [value!.item()], [c.value], tol);
    wanted.forEach((name, i) => {
      const [gradient, expected] = [others[i]!, c.grads[name]!];
      assert(
        gradient.shape.join() === expected.shape.join(),
        `${at}: the gradient by ${name} has the shape [${gradient.shape}]`,
      );
      compare(`${at}: gradient by ${name}`, gradient.data, expected.data, tol);
    });
    names.forEach((name, i) => {
      const expected = c.outputs![name]!;
      const numbers = typeof expected === "number" ? [expected] : expected.data;
      compare(`${at}: output ${name}`, others[wanted.length + i]!.data, numbers, tol);
    });
  }
}

/** An array of a golden file as a tensor. */
export function toTensor(x: GoldenArray, dtype: "float64" | "float32"): Tensor {
  return tensor([...x.data], { shape: x.shape, dtype: x.dtype === "i32" ? "int32" : dtype });
}

/** Compares on the scale of the largest expected number. */
export function compare(
  what: string,
  actual: ArrayLike<number>,
  expected: readonly number[],
  tol: { rtol: number; atol: number },
): void {
  assert(actual.length === expected.length, `${what} has ${actual.length} entries`);
  const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  expected.forEach((x, i) => {
    const error = Math.abs(actual[i]! - x);
    assert(
      error <= tol.atol + tol.rtol * scale,
      `${what}, entry ${i}: computed ${actual[i]}, expected ${x}`,
    );
  });
}
