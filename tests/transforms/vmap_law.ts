/** The law of `vmap`: what it gives is the stack of what its function gives for every row. */
import { assertEquals } from "@std/assert";
import {
  cast,
  compile,
  gather,
  grad,
  mul,
  normal,
  stack,
  sum,
  type Tensor,
  vmap,
} from "../../mod.ts";
import { key } from "../../src/random.ts";
import { isFloating } from "../../src/dtype.ts";
import { fromData } from "../../src/tensor.ts";
import { assertAllClose } from "../../src/testing.ts";

/** A function, and for each of its inputs the values of all rows; of one that is not mapped, the first. */
export interface Law {
  f: (...inputs: Tensor[]) => Tensor;
  rows: readonly (readonly Tensor[])[];
  isMapped: readonly boolean[];
  /** Whether there are gradients to compare, around `vmap` and inside of it; `true` by default. */
  gradients?: boolean;
}

/** As many rows as a tensor has values to begin with, from each of them on. */
export function turns({ data, shape, dtype, size }: Tensor, count: number): Tensor[] {
  return Array.from({ length: count }, (_, k) => {
    const turned = data.slice();
    for (let i = 0; i < size; i++) turned[i] = data[(i + k) % size]!;
    return fromData(turned, shape, dtype);
  });
}

/** Rows of random numbers. */
export function matrixRows(rows: number, columns: number, seed: number): Tensor[] {
  const x = normal(key(seed), [rows, columns], { dtype: "float64" });
  return Array.from({ length: rows }, (_, i) => gather(x, i));
}

/** Inputs of `vmap(f)`: rows in a stack, or the one that is the same for all. */
function stacked({ rows, isMapped }: Law): Tensor[] {
  return rows.map((all, i) => isMapped[i] ? stack(all) : all[0]!);
}

/** The inputs of every row. */
function byRow({ rows, isMapped }: Law): Tensor[][] {
  const count = Math.max(...rows.map((all) => all.length));
  return Array.from(
    { length: count },
    (_, k) => rows.map((all, i) => isMapped[i] ? all[k]! : all[0]!),
  );
}

/** What a call gives with and without `vmap`: values, then gradients around and inside of it. */
export interface BothWays {
  found: (...inputs: Tensor[]) => Tensor[];
  inputs: Tensor[];
  expected: Tensor[];
}

/** The same call both ways. */
export function bothWays(law: Law): BothWays {
  const { f, rows, isMapped, gradients = true } = law;
  const inAxes = isMapped.map((mapped) => mapped ? 0 : null);
  const mapped = vmap(f, { inAxes });
  const each = byRow(law);
  const values = each.map((inputs) => f(...inputs));
  const weights = normal(key(1), values[0]!.shape, { dtype: "float64" });
  const live = rows.flatMap(([x], i) => isFloating(x!.dtype) ? [i] : []);
  const score = (y: Tensor) => sum(mul(y, cast(weights, y.dtype)));
  const slopes = !gradients || live.length === 0
    ? []
    : each.map((inputs) =>
      grad((...xs: Tensor[]) => score(f(...xs)), { argnums: live })(...inputs)
    );
  const columns = slopes.length === 0
    ? []
    : live.map((_, at) => stack(slopes.map((own) => own[at]!)));
  const around = columns.map((all, at) => isMapped[live[at]!] ? all : sum(all, { axis: 0 }));
  const expected = [stack(values), ...around, ...columns];
  const found = (...inputs: Tensor[]): Tensor[] => {
    const results = [mapped(...inputs)];
    if (slopes.length === 0) return results;
    const total = (...xs: Tensor[]) => score(mapped(...xs));
    results.push(...grad(total, { argnums: live })(...inputs));
    const slope = grad((...xs: Tensor[]) => score(f(...xs)), { argnums: live });
    results.push(...vmap(slope, { inAxes })(...inputs));
    return results;
  };
  return { expected, found, inputs: stacked(law) };
}

/** Asserts the law eagerly. */
export function assertLaw(law: Law): void {
  const { expected, found, inputs } = bothWays(law);
  assertSame(found(...inputs), expected);
}

/** Asserts the law in programs, on one thread and two. */
export async function assertCompiledLaw(law: Law): Promise<void> {
  const { expected, found, inputs } = bothWays(law);
  for (const threads of [1, 2]) {
    await using program = await compile((...xs: Tensor[]) => found(...xs), inputs, { threads });
    assertSame(await program(...inputs), expected);
  }
}

function assertSame(found: readonly Tensor[], expected: readonly Tensor[]): void {
  assertEquals(found.length, expected.length);
  expected.forEach((y, i) => {
    assertEquals([found[i]!.shape, found[i]!.dtype], [y.shape, y.dtype]);
    assertAllClose(found[i]!, y, { rtol: 1e-11, atol: 1e-11 });
  });
}
