/** Operations on the gradient path: what they do to gradients, at first and second order. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  checkpoint,
  clip,
  clipGradient,
  customVjp,
  debugGradient,
  exp,
  grad,
  gradientReversal,
  hessian,
  hvp,
  jacobian,
  log,
  matmul,
  mul,
  sigmoid,
  stopGradient,
  sub,
  type Tensor,
  tensor,
  type TensorLike,
  valueAndGrad,
  vjp,
} from "../../mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";
import { numbers, RUNS, tensors } from "./arbitraries.ts";

type Kind = new () => Error;

const message = (f: () => unknown, kind: Kind = TypeError) => assertThrows(f, kind).message;

const f64 = (data: number[] | number[][]) => tensor(data, { dtype: "float64" });

const matrices = tensors([2, 3], numbers([-3, 3]));

Deno.test("stopGradient() is a constant to every transform around it", () => {
  const f = (x: Tensor) => mul(x, stopGradient(x.square())).sum();
  assertEquals(grad(f)([2, 3]).toArray(), [4, 9]);
  assertEquals(hessian(f)([2]).toArray(), [[0]]);
  const outer = (x: Tensor) => grad((y: Tensor) => mul(y, stopGradient(x)).sum())(x).sum();
  assertEquals(grad(outer)([2]).toArray(), [0]);
});

Deno.test("stopGradient() passes integers and booleans through", () => {
  assertEquals(stopGradient(Int32Array.of(1)).dtype, "int32");
  assertEquals(stopGradient([true]).toArray(), [true]);
});

Deno.test("gradientReversal() gives −scale times the plain gradient, and the plain value", () => {
  const head = (x: Tensor) => x.sin().mul(x).sum();
  fc.assert(
    fc.property(matrices, numbers([0, 5]), (x, scale) => {
      const [value, gradient] = valueAndGrad((y: Tensor) => head(gradientReversal(y, { scale })))(
        x,
      );
      assertAllClose(value, head(x), { rtol: 0, atol: 0 });
      assertAllClose(gradient, grad(head)(x).mul(-scale), { rtol: 1e-14, atol: 0 });
    }),
    RUNS,
  );
});

Deno.test("gradientReversal() has scale 1 by default, and lets nothing through at 0", () => {
  const slope = (scale?: number) =>
    grad((x: Tensor) => gradientReversal(x, { scale }).mul(3).sum())([1, 1]).toArray();
  assertEquals([slope(), slope(2)], [[-3, -3], [-6, -6]]);
  assertAllClose(tensor(slope(0)), [0, 0]);
});

Deno.test("gradientReversal() twice restores the gradient", () => {
  const f = (x: Tensor) => gradientReversal(gradientReversal(x)).square().sum();
  assertEquals(grad(f)([3]).toArray(), [6]);
});

Deno.test("clipGradient() limits each entry of the gradient, and not the value", () => {
  fc.assert(
    fc.property(matrices, matrices, (x, weights) => {
      const f = (y: Tensor) => mul(clipGradient(y, -1, 0.5), weights).sum();
      const [value, gradient] = valueAndGrad(f)(x);
      assertAllClose(value, mul(x, weights).sum(), { rtol: 1e-14 });
      assertAllClose(gradient, clip(weights, -1, 0.5), { rtol: 0, atol: 0 });
    }),
    RUNS,
  );
});

Deno.test("debugGradient() throws where a gradient is not finite, naming the place", () => {
  const f = (x: Tensor) =>
    log(debugGradient(x, "after the encoder")).mul([0, 0, 1, 1, -1, 0]).sum();
  assertEquals(
    message(() => grad(f)([0, 1, 0, 2, 0, 0]), RangeError),
    'Cannot continue the backward pass as the gradient at "after the encoder" must be finite: ' +
      "2 NaN and 2 infinite of 6 values",
  );
});

Deno.test("debugGradient() lets finite gradients pass as they are", () => {
  assertEquals(grad((x: Tensor) => debugGradient(x, "x").square().sum())([3]).toArray(), [6]);
});

Deno.test("debugGradient() shows gradients to a function instead, in the order back", () => {
  const seen: [string, unknown][] = [];
  const report = (g: Tensor, name: string) => seen.push([name, g.toArray()]);
  const f = (x: Tensor) => {
    const inner = debugGradient(x, "inner", { report });
    return debugGradient(inner.mul([2, Infinity]), "outer", { report }).sum();
  };
  assertEquals(grad(f)([1, 1]).toArray(), [2, Infinity]);
  assertEquals(seen, [["outer", [1, 1]], ["inner", [2, Infinity]]]);
});

/** log(1 + eˣ) with a rule of its own. */
const softplus = customVjp({
  forward: (x) => log(exp(x).add(1)),
  vjp: (g, _y, [x]) => [mul(g, sigmoid(x!))],
});

Deno.test("customVjp() is differentiated by its rule, and its rule again", () => {
  fc.assert(
    fc.property(matrices, (x) => {
      checkGradients(softplus, [x], { order: 2, atol: 1e-7 });
    }),
    RUNS,
  );
});

Deno.test("customVjp() gives the value of its function, with and without a transform", () => {
  assertAllClose(softplus([0]), [Math.LN2]);
  assertAllClose(valueAndGrad((x: Tensor) => softplus(x).sum())([0])[0], Math.LN2);
});

Deno.test("customVjp() hands its rule the output and the inputs", () => {
  const scale = customVjp({
    forward: (x, w) => x.mul(w),
    vjp: (g, output, [x, w]) => {
      assertEquals(output.toArray(), [10]);
      return [mul(g, w!), mul(g, x!)];
    },
  });
  const [byX, byW] = grad((x: Tensor, w: Tensor) => scale(x, w).sum(), { argnums: [0, 1] })([2], [
    5,
  ]);
  assertEquals([byX.toArray(), byW.toArray()], [[5], [2]]);
});

Deno.test("customVjp() takes null, numbers and arrays as cotangents", () => {
  const f = customVjp({ forward: (x, y) => x.mul(y), vjp: () => [[7, 8], null] });
  const [byX, byY] = grad((x: Tensor, y: Tensor) => f(x, y).sum(), { argnums: [0, 1] })(
    f64([1, 2]),
    f64([3, 4]),
  );
  assertEquals([byX.dtype, byX.toArray(), byY.toArray()], ["float64", [7, 8], [0, 0]]);
});

Deno.test("customVjp() takes integers as constants", () => {
  const pick = customVjp({
    forward: (x, i) => x.gather(i),
    vjp: (g, _y, [x, i]) => [x!.mul(0).scatterAdd(i!, g), null],
  });
  const f = (x: Tensor) => pick(x, Int32Array.of(1, 1)).sum();
  assertEquals(grad(f)([5, 6, 7]).toArray(), [0, 2, 0]);
});

Deno.test("customVjp() broadcasts as operations do: the engine sums", () => {
  const product = customVjp({
    forward: (x, y) => x.mul(y),
    vjp: (g, _z, [x, y]) => [mul(g, y!), mul(g, x!)],
  });
  checkGradients(product, [f64([[1, 2], [3, 4]]), f64([5, 6])], { order: 2, atol: 1e-7 });
  checkGradients(product, [f64([[1], [3]]), f64([5, 6])], { order: 2, atol: 1e-7 });
});

Deno.test("customVjp() refuses a cotangent that has not the shape of its input", () => {
  const wrong = (cotangent: TensorLike) => {
    const f = customVjp({ forward: (x) => x.mul(2), vjp: () => [cotangent], name: "twice" });
    return message(() => grad((x: Tensor) => f(x).sum())([[1, 2, 3], [4, 5, 6]]));
  };
  for (
    const [cotangent, shape] of [
      [[1, 2], "[2]"],
      [[[1, 2], [3, 4], [5, 6]], "[3, 2]"],
      [1, "[]"],
      [[[1], [2]], "[2, 1]"],
      [[[1, 2, 3]], "[1, 3]"],
    ] as const
  ) {
    assertEquals(
      wrong(cotangent),
      "Cannot use the gradient rule of twice as each cotangent must have the shape of its input: " +
        `current shapes are ${shape} and [2, 3]`,
    );
  }
});

Deno.test("customVjp() refuses more or fewer cotangents than inputs", () => {
  for (const count of [0, 1, 3]) {
    const f = customVjp({ forward: (x, y) => x.add(y), vjp: (g) => new Array(count).fill(g) });
    assertEquals(
      message(() => grad((x: Tensor) => f(x, x).sum())([1])),
      "Cannot use the gradient rule of customVjp as it must give one cotangent per input: " +
        `current numbers are ${count} and 2`,
    );
  }
});

Deno.test("customVjp() refuses to close over a tensor under differentiation", () => {
  const f = (w: Tensor) => {
    const layer = customVjp({ forward: (x) => x.mul(w), vjp: (g) => [g], name: "layer" });
    return layer([1, 2]).sum();
  };
  assertEquals(
    message(() => grad(f)([3, 4])),
    "Cannot compute layer as its function uses a tensor under differentiation or vmap that is " +
      "not among its arguments: pass it as an argument, or through stopGradient",
  );
});

Deno.test("customVjp() refuses a function that returns no tensor", () => {
  const f = customVjp({ forward: (() => 5) as unknown as () => Tensor, vjp: (g) => [g] });
  assertEquals(
    message(() => f(1)),
    "Cannot compute customVjp as its function must return one tensor",
  );
});

/** Two layers as one checkpoint. */
const block = (p: { w: Tensor; b: Tensor }, x: Tensor) => matmul(x, p.w).add(p.b).tanh();

const PARAMS = { w: f64([[0.1, -0.4], [0.7, 0.2], [-0.3, 0.5]]), b: f64([0.1, -0.2]) };
const INPUT = f64([[1, 2, 3], [-1, 0.5, 2]]);

Deno.test("checkpoint() equals the plain function, with trees, at first order", () => {
  const loss = (f: typeof block) => (p: typeof PARAMS) => f(p, INPUT).square().sum();
  const [value, gradient] = valueAndGrad(loss(checkpoint(block)))(PARAMS);
  const [plainValue, plain] = valueAndGrad(loss(block))(PARAMS);
  assertEquals(value.item(), plainValue.item());
  assertEquals([gradient.w.toArray(), gradient.b.toArray()], [
    plain.w.toArray(),
    plain.b.toArray(),
  ]);
});

Deno.test("checkpoint() equals the plain function at second order", () => {
  const loss = (f: typeof block) => (w: Tensor) => f({ w, b: PARAMS.b }, INPUT).square().sum();
  assertAllClose(hessian(loss(checkpoint(block)))(PARAMS.w), hessian(loss(block))(PARAMS.w), {
    rtol: 1e-12,
  });
  const vector = PARAMS.w.mul(3);
  assertAllClose(
    hvp(loss(checkpoint(block)))(PARAMS.w, vector),
    hvp(loss(block))(PARAMS.w, vector),
    { rtol: 1e-12 },
  );
});

Deno.test("checkpoint() inside of checkpoint() equals the plain function", () => {
  const inner = checkpoint((x: Tensor) => x.sin().mul(x));
  const outer = checkpoint((x: Tensor) => inner(inner(x)).sum());
  const plain = (x: Tensor) => {
    const y = x.sin().mul(x);
    return y.sin().mul(y).sum();
  };
  assertAllClose(grad(outer)(f64([0.5, 2])), grad(plain)(f64([0.5, 2])), { rtol: 1e-13 });
});

Deno.test("checkpoint() computes again on the way back, once per pullback", () => {
  let calls = 0;
  const layer = checkpoint((x: Tensor) => {
    calls++;
    return x.square();
  });
  const [, pullback] = vjp((x: Tensor) => layer(x), [1, 2]);
  assertEquals(calls, 1);
  assertEquals(pullback([1, 1])[0].toArray(), [2, 4]);
  assertEquals(calls, 2);
  pullback([1, 1]);
  assertEquals(calls, 3);
});

Deno.test("checkpoint() takes integers and other arguments as constants", () => {
  const layer = checkpoint((x: Tensor, rows: Tensor, options: { scale: number }) =>
    x.gather(rows).mul(options.scale)
  );
  const rows = tensor([1, 1], { dtype: "int32" });
  assertEquals(grad((x: Tensor) => layer(x, rows, { scale: 3 }).sum())([5, 6]).toArray(), [0, 6]);
});

Deno.test("checkpoint() passes no gradient to what it ignores", () => {
  const layer = checkpoint((x: Tensor, _: Tensor) => x.mul(2));
  const both = grad((x: Tensor, y: Tensor) => layer(x, y).sum(), { argnums: [0, 1] })([1], [1]);
  assertEquals(both.map((g) => g.toArray()), [[2], [0]]);
});

Deno.test("checkpoint() keeps no intermediate tensors alive on the tape", () => {
  // What the function computed inside is not among what the outer tape can be asked for.
  let inside: Tensor | undefined;
  const layer = checkpoint((x: Tensor) => {
    inside = x.exp();
    return inside.add(1);
  });
  vjp((x: Tensor) => layer(x), [0]);
  assertEquals(inside!.trace, null);
});

Deno.test("checkpoint() refuses to close over a tensor under differentiation", () => {
  const f = (w: Tensor) => checkpoint((x: Tensor) => x.mul(w))(tensor([1, 2])).sum();
  assertEquals(
    message(() => grad(f)([3, 4])),
    "Cannot compute checkpoint as its function uses a tensor under differentiation or vmap that is " +
      "not among its arguments: pass it as an argument, or through stopGradient",
  );
});

Deno.test("checkpoint() refuses a function that returns no single tensor", () => {
  const pair = checkpoint(((x: Tensor) => [x, x]) as unknown as (x: Tensor) => Tensor);
  assertEquals(
    message(() => pair(tensor([1]))),
    "Cannot compute checkpoint as its function must return one tensor",
  );
});

Deno.test("jacobians go through checkpoint() and customVjp()", () => {
  const layer = checkpoint((x: Tensor) => softplus(x).mul(x));
  const plain = (x: Tensor) => log(exp(x).add(1)).mul(x);
  const x = f64([0.5, -1]);
  assertAllClose(jacobian(layer)(x), jacobian(plain)(x), { rtol: 1e-12 });
  assert(sub(layer(x), plain(x)).abs().max().item() === 0);
});
