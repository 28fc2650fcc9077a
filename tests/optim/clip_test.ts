import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { zeros } from "../../src/create.ts";
import { grad } from "../../src/transforms/grad.ts";
import { treeLeaves } from "../../src/tree.ts";
import { clipByGlobalNorm, globalNorm } from "../../src/optim/mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";

const RUNS = { seed: 1, numRuns: 100 };
const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), {
  minLength: 1,
  maxLength: 6,
});
const float64 = (data: number[]) => tensor(data, { dtype: "float64" });

Deno.test("globalNorm() is the norm of all values in one vector", () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const tree = { a: float64(a), rest: [float64(b)] };
      assertAlmostEquals(globalNorm(tree).item(), Math.hypot(...a, ...b), 1e-10);
    }),
    RUNS,
  );
});

Deno.test("globalNorm() does not overflow in float32", () => {
  assertAllClose(globalNorm([tensor([3e30, 4e30]), tensor(0)]), 5e30);
});

Deno.test("globalNorm() is 0 without values, and of zeros with gradient 0", () => {
  assertEquals(globalNorm([]).item(), 0);
  const tree = { x: zeros([0]), y: zeros([2]) };
  assertEquals(globalNorm(tree).item(), 0);
  assertEquals(grad((t: typeof tree) => globalNorm(t))(tree).y.toArray(), [0, 0]);
});

Deno.test("globalNorm() can be differentiated", () => {
  checkGradients((a, b) => globalNorm([a!, b!]), [[1, -2], [[3], [0.5]]], { order: 2 });
});

Deno.test("clipByGlobalNorm() never leaves a norm above the limit", () => {
  fc.assert(
    fc.property(values, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (xs, maxNorm) => {
      const clipped = clipByGlobalNorm([float64(xs)], maxNorm);
      const expected = Math.min(maxNorm, Math.hypot(...xs));
      assertAlmostEquals(globalNorm(clipped).item(), expected, 1e-9 * maxNorm);
    }),
    RUNS,
  );
});

Deno.test("clipByGlobalNorm() changes nothing below the limit", () => {
  fc.assert(
    fc.property(values, (xs) => {
      const limit = Math.max(1, Math.hypot(...xs)) * 1.001;
      assertEquals([...clipByGlobalNorm(float64(xs), limit).data], xs.map((x) => x));
    }),
    RUNS,
  );
});

Deno.test("clipByGlobalNorm() keeps the direction", () => {
  fc.assert(
    fc.property(values, (xs) => {
      const clipped = clipByGlobalNorm(float64(xs), 0.5);
      const factor = Math.min(1, 0.5 / Math.hypot(...xs));
      assertAllClose(clipped, xs.map((x) => x * factor), { rtol: 1e-12, atol: 1e-15 });
    }),
    RUNS,
  );
});

Deno.test("clipByGlobalNorm() is idempotent", () => {
  const once = clipByGlobalNorm({ w: float64([3, 4]), b: float64([12]) }, 2);
  const twice = clipByGlobalNorm(once, 2);
  assertAllClose(twice.w, once.w, { rtol: 1e-14 });
  assertAllClose(twice.b, once.b, { rtol: 1e-14 });
});

Deno.test("clipByGlobalNorm() keeps trees, shapes and types", () => {
  const grads = { a: [tensor([[1e3, 2]])], b: float64([5]), c: zeros([0, 2]) };
  const clipped = clipByGlobalNorm(grads, 1);
  const outline = (tree: unknown) => treeLeaves(tree).map((x) => [x.shape, x.dtype]);
  assertEquals(outline(clipped), outline(grads));
});

Deno.test("clipByGlobalNorm() leaves zeros alone", () => {
  assertEquals(clipByGlobalNorm(tensor([0, 0]), 1).toArray(), [0, 0]);
});

Deno.test("clipByGlobalNorm() tames float32 gradients of 1e30", () => {
  assertAllClose(clipByGlobalNorm(tensor([3e30, -4e30]), 1), [0.6, -0.8]);
});

Deno.test("globalNorm() and clipByGlobalNorm() do the same at every scale, to the bit", () => {
  const cases = [["float32", 119], ["float64", 1015]] as const;
  for (const [dtype, most] of cases) {
    fc.assert(
      fc.property(values, fc.integer({ min: -most, max: most }), (xs, power) => {
        // Whole numbers are exact at every scale.
        const grads = [tensor(xs.map(Math.round), { dtype }), tensor([3], { dtype })];
        const scaled = (x: Tensor) => x.mul(2 ** (power >> 1)).mul(2 ** (power - (power >> 1)));
        const norm = scaled(globalNorm(grads));
        assertEquals(globalNorm(grads.map(scaled)).item(), norm.item());
        const limit = scaled(tensor(2, { dtype })).item();
        const clipped = clipByGlobalNorm(grads.map(scaled), limit);
        const expected = clipByGlobalNorm(grads, 2).map(scaled);
        // The least numbers of a type have few digits.
        if (power > -most + 30) {
          assertEquals(
            clipped.map((x) => x.toArray()),
            expected.map((x) => x.toArray()),
          );
        }
      }),
      RUNS,
    );
  }
});

Deno.test("clipByGlobalNorm() takes limits that the gradients' type does not hold", () => {
  assertEquals(clipByGlobalNorm(tensor([3, 4]), Number.MAX_VALUE).toArray(), [3, 4]);
  assertEquals(clipByGlobalNorm(tensor([0, 0]), 1e-300).toArray(), [0, 0]);
  assertAllClose(clipByGlobalNorm(float64([3e307, -4e307]), 1), [0.6, -0.8]);
  assertAllClose(clipByGlobalNorm([float64([3e200]), tensor([4])], 1)[0]!, [1]);
  assertAllClose(clipByGlobalNorm([float64([3e-200]), tensor([0])], 1e-200)[0]!, [1e-200], {
    atol: 0,
  });
});

Deno.test("clipByGlobalNorm() passes gradients far out of the middle of the range", () => {
  const slopes = (scale: number) =>
    grad((x: Tensor) => clipByGlobalNorm(x, scale).slice([0], [1]).sum())(
      float64([3, 4].map((x) => x * scale)),
    );
  for (const scale of [1e-250, 1e-100, 1e100, 1e250]) {
    assertAllClose(slopes(scale), slopes(1), { rtol: 1e-12 });
  }
});

Deno.test("clipByGlobalNorm() lets NaN and infinities show", () => {
  for (const bad of [NaN, Infinity]) {
    const clipped = clipByGlobalNorm([tensor([1]), tensor([bad])], 1);
    assertEquals(clipped.map((g: Tensor) => g.item()), [NaN, NaN]);
  }
});

Deno.test("clipByGlobalNorm() can be differentiated", () => {
  checkGradients((a, b) => clipByGlobalNorm([a!, b!], 2)[0]!, [[1, -2], [3]], { order: 2 });
});

Deno.test("clipByGlobalNorm() of an infinite limit changes nothing: the norm is measured only", () => {
  const grads = { w: tensor([3e30, NaN]), b: float64([Infinity]), c: zeros([0]) };
  const same = clipByGlobalNorm(grads, Infinity);
  assertEquals(treeLeaves(same).map((x) => [...x.data]), treeLeaves(grads).map((x) => [...x.data]));
  const slope = grad((x: Tensor) => globalNorm(clipByGlobalNorm({ x }, Infinity)))(tensor([3, 4]));
  assertAllClose(slope, [0.6, 0.8]);
});

Deno.test("globalNorm() and clipByGlobalNorm() name themselves and where something is wrong", () => {
  const own: { a?: unknown } = {};
  own.a = own;
  const any = (tree: unknown) => tree as Tensor;
  const cases: [() => unknown, string][] = [
    [() => globalNorm(null), "globalNorm as the tree must be a tensor"],
    [() => globalNorm(own), "globalNorm as the tree must not contain itself"],
    [() => clipByGlobalNorm(any({ w: null }), 1), "clipByGlobalNorm as grads.w must be a tensor"],
    [() => clipByGlobalNorm(any(own), 1), "clipByGlobalNorm as grads must not contain itself"],
    [
      () => clipByGlobalNorm([tensor([1], { dtype: "int32" })], 0.5),
      "clipByGlobalNorm as grads[0] must be floating: current dtype is int32",
    ],
  ];
  for (const [act, text] of cases) assertThrows(act, TypeError, `Cannot compute ${text}`);
});

Deno.test("clipByGlobalNorm() wants a limit above 0", () => {
  for (const [maxNorm, shown] of [[0, "0"], [-1, "-1"]] as const) {
    const error = assertThrows(() => clipByGlobalNorm(tensor([1]), maxNorm), RangeError);
    assertEquals(
      error.message,
      "Cannot compute clipByGlobalNorm as maxNorm must be a number above 0: " +
        `current value is ${shown}`,
    );
  }
  const error = assertThrows(
    () => clipByGlobalNorm(tensor([1]), undefined as unknown as number),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot compute clipByGlobalNorm as maxNorm must be a number: " +
      "current value is undefined",
  );
});
