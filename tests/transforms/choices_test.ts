/** Fixed points and choices: values, gradients of two orders, programs, messages. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  compile,
  cond,
  fixedPoint,
  forLoop,
  grad,
  hessian,
  hvp,
  jvp,
  type Tensor,
  tensor,
  treeLeaves,
} from "../../mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";

const f64 = (data: number | number[] | number[][]) => tensor(data, { dtype: "float64" });
const message = (f: () => unknown, kind: new () => Error = TypeError) =>
  assertThrows(f, kind).message;

const EXACT = { tolerance: 1e-13, max: 200 };

/** The square root by Newton's method. */
const root = (a: Tensor) => fixedPoint((x: Tensor) => x.add(a.div(x)).div(2), a, EXACT);

/** A state that weights pull it to. */
const settle = (w: Tensor, b: Tensor) =>
  fixedPoint((x: Tensor) => x.matmul(w).add(b).tanh().mul(0.5), b.mul(0), EXACT);

const W = f64([[0.3, -0.2], [0.5, 0.7]]);
const B = f64([[0.4, -0.6]]);

Deno.test("fixedPoint() finds what does not change, with gradients of two orders", () => {
  const x = f64([4, 9]);
  assertAllClose(root(x), f64([2, 3]), { rtol: 1e-12 });
  assertAllClose(grad((a: Tensor) => root(a).sum())(x), f64([1 / 4, 1 / 6]), { rtol: 1e-12 });
  const curvature = hessian((a: Tensor) => root(a).sum())(x);
  assertAllClose(curvature, f64([[-1 / 32, 0], [0, -1 / 108]]), { rtol: 1e-10, atol: 1e-12 });
});

Deno.test("fixedPoint() reaches all that its function closes over", () => {
  const loss = (w: Tensor, b: Tensor) => settle(w, b).square().sum();
  checkGradients(loss, [W, B]);
  checkGradients((w: Tensor) => grad(loss)(w, B).sin().sum(), [W]);
  const v = f64([[1, 0], [-1, 2]]);
  const slope = (w: Tensor) => grad(loss)(w, B);
  assertAllClose(hvp((w: Tensor) => loss(w, B))(W, v), jvp(slope, [W], [v])[1], { rtol: 1e-9 });
});

Deno.test("fixedPoint() of trees, and in programs", async () => {
  const pair = (a: Tensor) =>
    fixedPoint(
      ({ x, y }: { x: Tensor; y: Tensor }) => ({ x: y.cos().mul(a), y: x.sin().sum().mul(0.5) }),
      { x: f64([0, 0]), y: f64(0) },
      EXACT,
    );
  const slope = grad((a: Tensor) => pair(a).x.sum());
  const a = f64([0.4, 0.8]);
  const { x, y } = pair(a);
  assertAllClose(x, y.cos().mul(a), { rtol: 1e-12 });
  const f = (a: Tensor, w: Tensor) => [
    ...treeLeaves(pair(a)),
    slope(a),
    settle(w, B),
    grad((w: Tensor) => settle(w, B).sum())(w),
    hessian((a: Tensor) => root(a).sum())(a),
  ];
  await using program = await compile(f, [a, W]);
  assertEquals(await program(a, W), f(a, W));
});

Deno.test("fixedPoint() ends by the change, relative to values beyond 1", () => {
  const half = (x: Tensor) => x.mul(0.5);
  assertEquals(fixedPoint(half, f64(1 / 1024), { tolerance: 1e-4, max: 20 }).item(), 2 ** -14);
  const towards = (x: Tensor) => x.add(1024).div(2);
  const far = fixedPoint(towards, f64(0), { tolerance: 1e-2, max: 20 }).item();
  assertEquals(far, 1024 * (1 - 2 ** -7));
  const text = message(() => fixedPoint(half, f64(1), { max: 0 }), RangeError);
  assertStringIncludes(text, "max must be a whole number at least 1");
});

Deno.test("fixedPoint() says where it does not come to rest", async () => {
  const f = (x: Tensor) => fixedPoint((y: Tensor) => y.add(1), x, { max: 5 });
  const text = "Cannot compute fixedPoint as x must not change by more than tolerance after max " +
    "turns: current value is 5";
  assertEquals(message(() => f(f64(1)), RangeError), text);
  await using program = await compile(f, [f64(1e9)]);
  assertEquals((await program(f64(1e9))).item(), 1e9 + 1);
  await assertRejects(() => program(f64(1)), RangeError, text);
  assertEquals(
    message(() => fixedPoint((x: Tensor[]) => x, [f64(1), tensor(1)])),
    "Cannot compute fixedPoint as x0 must hold tensors of one type: current types are float64 and " +
      "float32",
  );
  assert(Number.isNaN(fixedPoint((x: Tensor) => x.mul(NaN), f64(1)).item()));
  assertEquals(
    message(() => fixedPoint((x: Tensor) => x, tensor([], { dtype: "float64" }))),
    "Cannot compute fixedPoint as x0 must hold values: there are none",
  );
});

/** One of two functions of which each is not defined where the other one is meant. */
const choose = (x: Tensor) =>
  cond(x.sum().greater(0), (y: Tensor) => y.log(), (y: Tensor) => y.neg().sqrt(), x);

Deno.test("cond() does the one function that is chosen, and only that one", () => {
  assertEquals(choose(f64(1)).item(), 0);
  assertEquals(choose(f64(-4)).item(), 2);
  const never = (): Tensor => {
    throw new Error("It must not be called");
  };
  assertEquals(cond(true, () => f64(1), never).item(), 1);
  assertEquals(cond(tensor(false), never, () => f64(2)).item(), 2);
});

Deno.test("cond() in programs and loops has the values and gradients of the chosen one", async () => {
  const slope = grad((x: Tensor) => choose(x).sum());
  const all = (x: Tensor) => [choose(x), slope(x), grad((y: Tensor) => slope(y).sum())(x)];
  await using program = await compile(all, [f64([1, 2])]);
  for (const x of [f64([1, 2]), f64([-1, -4])]) {
    assertEquals(await program(x), all(x));
    assert(all(x).every(({ data }) => data.every(Number.isFinite)));
  }
  const collatz = (x: Tensor) =>
    forLoop(
      3,
      (y: Tensor) => cond(y.greater(1), (z: Tensor) => z.div(2), (z: Tensor) => z.mul(3).add(1), y),
      x,
    );
  const expected = [[8, 1, 1 / 8], [2, 2, 3 / 4], [0.5, 0.625, 3 / 4]].map(([x]) => x);
  const plain = (x: number) => [1, 2, 3].reduce((y) => y > 1 ? y / 2 : 3 * y + 1, x);
  await using loops = await compile((x: Tensor) => [collatz(x), grad(collatz)(x)], [f64(8)]);
  for (const x of expected as number[]) {
    assertEquals(collatz(f64(x)).item(), plain(x));
    const [value, gradient] = await loops(f64(x)) as Tensor[];
    assertEquals([value!.item(), gradient!.item()], [plain(x), grad(collatz)(f64(x)).item()]);
  }
});

Deno.test("cond() computes nothing in the branch not chosen, of what it closes over either", async () => {
  const ids = (x: Tensor) => f64([5, 6]).gather(x.cast("int32"), { axis: 0 });
  const functions: ((x: Tensor) => Tensor)[] = [
    (x) => cond(x.greater(0), () => x.sqrt(), () => x.mul(x).mul(x)),
    (x) => cond(x.greater(0), () => x.log(), () => x.mul(2)),
    (x) => cond(x.less(0), () => x.mul(x), () => ids(x.abs()).mul(x)),
    (x) => cond(x.less(0), () => cond(x.less(-2), () => x.neg().log(), () => x), () => x.sqrt()),
    (x) =>
      cond(x.less(0), () => forLoop(2, (c: Tensor) => c.mul(x.neg().log()), x), () => x.mul(x)),
  ];
  const looped = (f: (x: Tensor) => Tensor) => (x: Tensor) =>
    forLoop(1, (c: Tensor) => c.add(f(x)), f64(0));
  for (const f of functions) {
    const all = (g: typeof f) => (x: Tensor) => [g(x), grad(g)(x), hessian(g)(x)];
    await using program = await compile(all(f), [f64(1)]);
    await using loop = await compile(all(looped(f)), [f64(1)]);
    for (const x of [f64(-1), f64(-3), f64(1)]) {
      const expected = all(f)(x);
      assert(expected.every((y) => Number.isFinite(y.item())));
      for (const found of [await program(x), all(looped(f))(x), await loop(x)]) {
        (found as Tensor[]).forEach((y, i) => assertAllClose(y, expected[i]!, { rtol: 1e-14 }));
      }
    }
  }
});

Deno.test("cond() reaches what functions close over, and takes trees of any type", async () => {
  const f = (p: Tensor, w: Tensor) =>
    cond(
      p,
      ([a, n]: [Tensor, Tensor]) => ({ a: a.mul(w), n }),
      ([a, n]: [Tensor, Tensor]) => ({ a: a.add(w), n: n.add(1) }),
      [f64([2, 3]), tensor(7, { dtype: "int32" })],
    );
  const both = (p: Tensor, w: Tensor) =>
    [f(p, w), grad((v: Tensor) => f(p, v).a.sum())(w)] as const;
  await using program = await compile((p: Tensor, w: Tensor) => both(p, w), [tensor(true), f64(5)]);
  for (const p of [true, false]) {
    const found: unknown = await program(tensor(p), f64(5));
    assertEquals(found, both(tensor(p), f64(5)));
  }
});

Deno.test("cond() says what it cannot do", async () => {
  assertEquals(
    message(() => cond(1, () => f64(1), () => f64(2))),
    "Cannot compute cond as predicate must be one bool: current value is float32[]",
  );
  await assertRejects(
    () => compile((p: Tensor) => cond(p, () => f64(1), () => f64([2])), [tensor(true)]),
    TypeError,
    "Cannot compute cond as onFalse must return the shapes and types that onTrue does: current " +
      "values are float64[] and float64[1]",
  );
});
