/** What holds for many losses, as assertions. */
import { type Tensor, tensor, valueAndGrad, where } from "@cellgrad/cellgrad";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import { assert, assertThrows } from "@std/assert";

const TIGHT = { rtol: 1e-12, atol: 1e-12 };

/** Asserts that two numbers, or tensors, agree but for rounding. */
export function assertSame(actual: Tensor, expected: Tensor | number): void {
  assertAllClose(actual, expected, TIGHT);
}

/** Asserts that `sum` adds up `none`, and that `mean` is the sum divided by the count. */
export function assertReductions(
  loss: (reduction: "mean" | "sum" | "none") => Tensor,
  count: number,
): void {
  const total = loss("sum");
  assertSame(loss("none").sum(), total);
  assertSame(loss("mean").mul(count), total);
}

/**
 * Asserts that a loss and its gradient by every argument are finite, and that no operation on the
 * way makes a NaN of numbers, so that `checkNaN` has nothing to report; returns the value.
 */
export function assertFinite(f: (...inputs: Tensor[]) => Tensor, inputs: Tensor[]): number {
  const argnums = inputs.map((_, i) => i);
  const checkNaN = !inputs.some((x) => x.isNaN().sum().item() > 0);
  const [value, gradients] = valueAndGrad(f as (...args: Tensor[]) => Tensor, {
    argnums,
    checkNaN,
  })(...inputs) as [Tensor, Tensor[]];
  assert(Number.isFinite(value.item()), `the value is ${value.item()}`);
  gradients.forEach((gradient, i) =>
    gradient.data.forEach((g: number, at: number) =>
      assert(Number.isFinite(g), `entry ${at} of gradient ${i} is ${g}`)
    )
  );
  return value.item();
}

/** Asserts that a gradient is exactly 0 where a mask of the same shape is 0. */
export function assertZeroOff(gradient: Tensor, mask: Tensor): void {
  gradient.data.forEach((g: number, at: number) =>
    assert(mask.data[at] !== 0 || g === 0, `entry ${at} is off the mask: its gradient is ${g}`)
  );
}

/** Asserts that all entries are exactly 0. */
export function assertAllZero(x: Tensor): void {
  x.data.forEach((value: number, at: number) => assert(value === 0, `entry ${at} is ${value}`));
}

/** Asserts the whole text of an error. */
export function assertError(
  f: () => unknown,
  // deno-lint-ignore no-explicit-any
  kind: abstract new (...args: any[]) => Error,
  message: string,
): void {
  const error = assertThrows(f, kind as never) as Error;
  assert(error.message === message, `the message is: ${error.message}`);
}

/** What goes wrong in plain words, the call, and the kind and the whole text of its error. */
export type Misuse = readonly [
  what: string,
  call: () => unknown,
  // deno-lint-ignore no-explicit-any
  kind: abstract new (...args: any[]) => Error,
  message: string,
];

/** One test per misuse of a function. */
export function testMisuse(name: string, misuses: readonly Misuse[]): void {
  for (const [what, call, kind, message] of misuses) {
    Deno.test(`${name}() rejects ${what}`, () => assertError(call, kind, message));
  }
}

/** The entries of a tensor where a mask of the same shape is 1, as a vector. */
export function entriesOn(x: Tensor, mask: Tensor): Tensor {
  const at = [...mask.data].flatMap((value, i) => value === 0 ? [] : [i]);
  return x.reshape([-1]).gather(tensor(at, { dtype: "int32" }));
}

/** A tensor with its values replaced where a mask of the same shape is 0. */
export function replaceOff(x: Tensor, mask: Tensor, value: number): Tensor {
  return where(mask, x, tensor(value, { dtype: x.dtype }));
}

/** Labels with `ignoreIndex` where a mask of the same shape is 0. */
export function ignoreOff(labels: Tensor, mask: Tensor, ignoreIndex: number): Tensor {
  return where(mask, labels, tensor(ignoreIndex, { dtype: "int32" }));
}
