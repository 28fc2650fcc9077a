/** What operations do at kinks, ties and extremes, where a definition has to choose. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { constantMax } from "../../src/ops/reduce.ts";
import { relativeEntropy } from "../../src/ops/relative_entropy.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";

const f64 = (data: cg.NestedArray) => cg.tensor(data, { dtype: "float64" });
const slope = (f: (x: cg.Tensor) => cg.Tensor, x: cg.NestedArray) =>
  cg.grad((y: cg.Tensor) => f(y).sum())(f64(x)).toArray();

Deno.test("relu() has gradient 0 at 0", () => {
  assertEquals(slope(cg.relu, [-1, 0, 1]), [0, 0, 1]);
});

Deno.test("leakyRelu() has at 0 the slope of its negative side", () => {
  assertEquals(slope((x) => cg.leakyRelu(x, { negativeSlope: 0.25 }), [-1, 0, 1]), [0.25, 0.25, 1]);
});

Deno.test("elu() has at 0 the slope of its negative side, and no NaN far from it", () => {
  assertEquals(slope((x) => cg.elu(x, { alpha: 0.25 }), [-1e4, 0, 1, 1e4]), [0, 0.25, 1, 1]);
  assertEquals(cg.elu(f64([NaN])).toArray(), [NaN]);
});

Deno.test("hardtanh() passes the gradient at its limits, as clip() does", () => {
  assertEquals(slope((x) => cg.hardtanh(x), [-2, -1, 0, 1, 2]), [0, 1, 1, 1, 0]);
});

Deno.test("gelu() and silu() keep their digits on the negative side, and are finite far from 0", () => {
  assertAllClose(cg.gelu(f64([-10, -30])), [-7.619853024160527e-23, -1.4720141781444e-196], {
    rtol: 1e-7,
    atol: 0,
  });
  const tanh = (x: cg.Tensor) => cg.gelu(x, { approximate: "tanh" });
  for (const f of [cg.gelu, cg.silu, tanh]) {
    assertEquals(f(f64([-1e4, 0, 1e4])).add(0).toArray(), [0, 0, 1e4]);
    assertEquals(slope(f, [-1e4, 0, 1e4]).map((v: number) => v + 0), [0, 0.5, 1]);
  }
});

Deno.test("nanToNum() takes the ends of the type by default, and passes no gradient there", () => {
  const given = [NaN, Infinity, -Infinity, 3];
  const largest = Math.fround(3.4028234663852886e38);
  assertEquals(cg.nanToNum(cg.tensor(given)).toArray(), [0, largest, -largest, 3]);
  const most = Number.MAX_VALUE;
  assertEquals(cg.nanToNum(f64(given)).toArray(), [0, most, -most, 3]);
  assertEquals(slope(cg.nanToNum, given), [0, 0, 0, 1]);
  const whole = cg.tensor([1, 2], { dtype: "int32" });
  assertEquals([cg.nanToNum(whole).dtype, cg.nanToNum([true]).dtype], ["int32", "bool"]);
});

Deno.test("isFinite(), isInf() and the logical operations take integers and booleans", () => {
  for (const x of [cg.tensor([0, -7], { dtype: "int32" }), cg.tensor([false, true])]) {
    assertEquals(cg.isFinite(x).toArray(), [true, true]);
    assertEquals(cg.isInf(x).toArray(), [false, false]);
    assertEquals(cg.logicalNot(x).toArray(), [true, false]);
    assertEquals(cg.logicalAnd(x, [1.5, NaN]).toArray(), [false, true]);
    assertEquals(cg.logicalOr(x, false).toArray(), [false, true]);
    assertEquals(cg.logicalXor(x, [[true], [false]]).toArray(), [[true, false], [false, true]]);
  }
});

Deno.test("inverse functions have infinite gradients where their domains end", () => {
  assertEquals(slope(cg.asin, [1, -1]), [Infinity, Infinity]);
  assertEquals(slope(cg.acos, [1, -1]), [-Infinity, -Infinity]);
  assertEquals(slope(cg.acosh, [1]), [Infinity]);
  assertEquals(slope(cg.atanh, [1, -1]), [Infinity, Infinity]);
  assertEquals(slope(cg.erfinv, [1, -1]), [Infinity, Infinity]);
  assertEquals(slope(cg.asin, [2]), [NaN]);
  assertEquals(slope(cg.acosh, [0, -2]), [NaN, NaN]);
});

Deno.test("inverse hyperbolic functions have gradients where squares overflow or vanish", () => {
  for (const x of [1e-200, 1, 1e8, 1e200]) {
    assertAllClose(f64(slope(cg.asinh, [x, -x])), [1 / Math.hypot(1, x), 1 / Math.hypot(1, x)]);
  }
  assertAllClose(f64(slope(cg.acosh, [1e200])), [1e-200], { atol: 0 });
  assertEquals(slope((x) => cg.asinh(cg.cast(x, "float32")), [1e30]), [Math.fround(1e-30)]);
  assertAllClose(cg.asinh(f64([1e-20, -1e-20])), [1e-20, -1e-20], { atol: 0 });
  assertAllClose(cg.atanh(f64([1e-20])), [1e-20], { atol: 0 });
});

Deno.test("erfinv() has all digits in both tails, and undoes erf()", () => {
  const tiny = 2 ** -53;
  assertAllClose(cg.erfc(cg.erfinv(f64([1 - tiny]))), [tiny], { rtol: 1e-13, atol: 0 });
  const x = f64([-3, -1, -1e-9, 0.5, 2]);
  assertAllClose(cg.erfinv(cg.erf(x)), x, { rtol: 1e-11, atol: 0 });
});

Deno.test("abs() has gradient 0 at 0", () => {
  assertEquals(slope(cg.abs, [-1, 0, 1]), [-1, 0, 1]);
});

Deno.test("norm() has gradient 0 at 0, to second order", () => {
  assertEquals(slope(cg.norm, [0, 0]), [0, 0]);
  assertEquals(cg.hessian((x: cg.Tensor) => cg.norm(x))(f64([0, 0])).toArray(), [[0, 0], [0, 0]]);
});

Deno.test("norm() of zeros is 0, and no NaN comes up on the way back", () => {
  assertEquals(cg.norm(f64([[0, 0], [3, 4]]), { axis: 1 }).toArray(), [0, 5]);
  const length = (x: cg.Tensor) => cg.norm(x);
  assertEquals(cg.grad(length, { checkNaN: true })(f64([0, 0])).toArray(), [0, 0]);
});

Deno.test("l2Normalize() leaves zeros as they are, and raises lengths to epsilon", () => {
  assertEquals(cg.l2Normalize(f64([[0, 0], [0, 2]])).toArray(), [[0, 0], [0, 1]]);
  assertEquals(cg.l2Normalize(f64([0, 2]), { epsilon: 4 }).toArray(), [0, 0.5]);
});

Deno.test("layerNorm() adds epsilon to the variance", () => {
  assertEquals(cg.layerNorm(f64([1, 3]), { epsilon: 3 }).toArray(), [-0.5, 0.5]);
});

Deno.test("pairwiseSquaredDistance() has gradient 0 between equal rows", () => {
  assertEquals(slope((x) => cg.pairwiseSquaredDistance(x), [[1, 2], [1, 2]]), [[0, 0], [0, 0]]);
});

Deno.test("clip() passes the gradient on its closed interval", () => {
  assertEquals(slope((x) => cg.clip(x, -1, 1), [-2, -1, 0, 1, 2]), [0, 1, 1, 1, 0]);
});

Deno.test("maximum() and minimum() halve the gradient at ties", () => {
  const both = (f: typeof cg.maximum) =>
    cg.grad((a: cg.Tensor, b: cg.Tensor) => f(a, b).sum(), { argnums: [0, 1] })(
      f64([1, 2, 3]),
      f64([2, 2, 2]),
    ).map((g) => g.toArray());
  assertEquals(both(cg.maximum), [[0, 0.5, 1], [1, 0.5, 0]]);
  assertEquals(both(cg.minimum), [[1, 0.5, 0], [0, 0.5, 1]]);
});

Deno.test("maximum() and minimum() give both a NaN gradient where either is NaN", () => {
  for (const f of [cg.maximum, cg.minimum]) {
    const [byA, byB] = cg.grad((a: cg.Tensor, b: cg.Tensor) => f(a, b).sum(), { argnums: [0, 1] })(
      f64([NaN, 2, NaN, 1]),
      f64([2, NaN, NaN, 1]),
    );
    assertEquals(byA.toArray(), [NaN, NaN, NaN, 0.5]);
    assertEquals(byB.toArray(), [NaN, NaN, NaN, 0.5]);
  }
});

Deno.test("max() and min() split the gradient equally among ties", () => {
  assertEquals(slope((x) => cg.max(x), [3, 1, 3]), [0.5, 0, 0.5]);
  assertEquals(slope((x) => cg.min(x, { axis: 1 }), [[3, 1, 3], [1, 1, 1]]), [
    [0, 1, 0],
    [1 / 3, 1 / 3, 1 / 3],
  ]);
});

Deno.test("pow() is 1 with gradient 0 where base and exponent are 0", () => {
  assertEquals(cg.pow(f64([0]), f64([0])).toArray(), [1]);
  const both = cg.grad((a: cg.Tensor, b: cg.Tensor) => cg.pow(a, b).sum(), { argnums: [0, 1] });
  assertEquals(both(f64([0]), f64([0])).map((g) => g.toArray()), [[0], [0]]);
  assertEquals(slope((x) => cg.pow(x, 0), [0]), [0]);
});

/** The second derivatives of `a^b`, for a and b in this order. */
const powHessian = (a: number, b: number) =>
  cg.hessian((x: cg.Tensor) => cg.pow(x.gather([0]), x.gather([1])).sum())(f64([a, b])).toArray();

Deno.test("pow() of base 0 has gradient 0 by the exponent, whatever its sign", () => {
  const byExponent = cg.grad((b: cg.Tensor) => cg.pow(f64([0, 0, 0]), b).sum());
  assertEquals(byExponent(f64([-1, 0, 2])).toArray(), [0, 0, 0]);
});

Deno.test("pow() by the exponent at base 0 has the same slope forwards as backwards", () => {
  const [, tangent] = cg.jvp((b: cg.Tensor) => cg.pow(f64([0, 0, 0]), b), [f64([-1, 0, 2])], [
    f64([1, 1, 1]),
  ]);
  assertEquals(tangent.toArray(), [0, 0, 0]);
});

Deno.test("pow() with exponent 0 has gradient 0 for all bases, NaN and infinities among them", () => {
  const bases = [-Infinity, NaN, Infinity, -2, -0, 0, 1e-320, 1, 1e300];
  const zeros = bases.map(() => 0);
  assertEquals(slope((x) => cg.pow(x, f64(zeros)), bases), zeros);
  assertEquals(slope((x) => cg.pow(x, 0), bases), zeros);
});

Deno.test("variance() and std() with nothing to divide by agree", () => {
  for (const correction of [0, 1, 2, 3, 3.5, 4, 9]) {
    const options = { correction };
    const [variance, std] = [cg.variance, cg.std].map((f) => f(f64([1, 2, 4]), options).item());
    assertAllClose(f64([Math.sqrt(variance!)]), f64([std!]));
    assertEquals(Number.isNaN(variance), correction > 3);
    assertEquals(variance === Infinity, correction === 3);
  }
});

Deno.test("pow() of base 0 has finite second derivatives", () => {
  assertEquals(powHessian(0, 0), [[0, 0], [0, 0]]);
  assertEquals(powHessian(0, 2), [[2, 0], [0, 0]]);
});

Deno.test("pow() with exponent 0 has the right second derivatives", () => {
  checkGradients(cg.pow, [f64([2, 0.5, 3]), f64([0, 0, 2])], { order: 2 });
  assertAllClose(f64(powHessian(1e-30, 0)).slice([0, 1], [1, 2]), [[1e30]]);
});

Deno.test("pow() with exponent 0 has gradient 0 where the base is so small that 1/x overflows", () => {
  assertEquals(slope((x) => cg.pow(x, f64([0, 0])), [5e-324, 0]), [0, 0]);
});

Deno.test("pow() with exponent 1 has gradient 1 at 0, and 0 at second order", () => {
  assertEquals(slope((x) => cg.pow(x, 1), [0]), [1]);
  assertEquals(cg.hessian((x: cg.Tensor) => cg.pow(x, 2).sum())(f64([0])).toArray(), [[2]]);
});

Deno.test("where() takes numbers as a condition, of which only 0 is false", () => {
  assertEquals(cg.where([2, 0, -0.5, NaN], 1, 7).toArray(), [1, 7, 1, 1]);
});

Deno.test("where() keeps a NaN out of what was not chosen", () => {
  const safe = (x: cg.Tensor) => {
    const positive = cg.greater(x, 0);
    return cg.where(positive, cg.log(cg.where(positive, x, 1)), 0);
  };
  assertEquals(slope(safe, [-1, 2]), [0, 0.5]);
});

Deno.test("the exponential family stays finite at ±1e4", () => {
  const x = f64([-1e4, 1e4]);
  assertEquals(cg.sigmoid(x).toArray(), [0, 1]);
  assertEquals(cg.softplus(x).toArray(), [0, 1e4]);
  assertEquals(cg.logSigmoid(x).add(0).toArray(), [-1e4, 0]);
  assertEquals(cg.softmax(x).toArray(), [0, 1]);
  assertEquals(cg.logSoftmax(x).toArray(), [-2e4, 0]);
  assertEquals(cg.logSumExp(x).item(), 1e4);
  assertEquals(slope((y) => cg.logSumExp(y), [-1e4, 1e4]), [0, 1]);
  assertEquals(slope(cg.sigmoid, [-1e4, 1e4]), [0, 0]);
});

Deno.test("logSumExp() of nothing but −∞ is −∞, and of +∞ is ∞", () => {
  assertEquals(cg.logSumExp([-Infinity, -Infinity]).item(), -Infinity);
  assertEquals(cg.logSumExp([Infinity, 0]).item(), Infinity);
});

Deno.test("logSumExp() passes an infinite gradient on", () => {
  const [, pullback] = cg.vjp((x: cg.Tensor) => cg.logSumExp(x), f64([0, 1]));
  assertEquals(pullback(Infinity)[0].toArray(), [Infinity, Infinity]);
});

Deno.test("constantMax() is a constant", () => {
  const largest = (x: cg.Tensor) => constantMax(x, 1, "test");
  assertEquals(largest(f64([[1, 2], [Infinity, 0]])).toArray(), [[2], [Infinity]]);
  assertEquals(slope(largest, [[1, 2], [4, 3]]), [[0, 0], [0, 0]]);
});

Deno.test("softmax() and logSoftmax() of ∞ are NaN, as PyTorch's are", () => {
  for (const f of [cg.softmax, cg.logSoftmax]) {
    assertEquals(f(f64([Infinity, 0])).toArray(), [NaN, NaN]);
    assertEquals(f(f64([-Infinity, -Infinity])).toArray(), [NaN, NaN]);
  }
});

Deno.test("softmax() gives masked logits of −∞ no probability", () => {
  assertEquals(cg.softmax([-Infinity, 0, 0]).toArray(), [0, 0.5, 0.5]);
});

Deno.test("sums of float32 are accumulated in float64", () => {
  const x = cg.concat([cg.full([1], 1e8), cg.ones([1000])]);
  assertEquals(x.sum().item(), Math.fround(1e8 + 1000));
  assertEquals(cg.matmul(x, cg.ones([1001])).item(), Math.fround(1e8 + 1000));
});

Deno.test("pairwiseSquaredDistance() keeps its digits far from the origin", () => {
  const x = cg.tensor([[100, 100], [100.5, 100]]);
  assertEquals(cg.pairwiseSquaredDistance(x).toArray(), [[0, 0.25], [0.25, 0]]);
  const far = cg.tensor([[1e4, 1e4], [1e4 + 0.5, 1e4]]);
  const gradient = cg.grad((y: cg.Tensor) => cg.pairwiseSquaredDistance(y).sum())(far);
  assertEquals(gradient.toArray(), [[-2, 0], [2, 0]]);
  const rows = cg.tensor(Array.from({ length: 16 }, (_, i) => [1e4 + i / 1024]));
  const slopes = cg.grad((y: cg.Tensor) => cg.pairwiseSquaredDistance(y).sum());
  assertEquals(slopes(rows).toArray(), slopes(cg.cast(rows, "float64")).toArray());
});

Deno.test("pairwiseSquaredDistance() keeps its digits at second order where weights cancel", () => {
  const weights = cg.tensor([[1e8, 1], [-1e8, 1]]);
  const x = cg.tensor([[1], [2]]);
  const weighted = (y: cg.Tensor) => (z: cg.Tensor) =>
    cg.pairwiseSquaredDistance(z, y).mul(weights).sum();
  const mixed = cg.grad((y: cg.Tensor) => cg.grad(weighted(y))(x).sum());
  assertEquals(mixed(cg.tensor([[3], [5]])).toArray(), [[0], [-4]]);
});

Deno.test("round() takes halves to even numbers, and integers stay what they are", () => {
  assertEquals(cg.round([0.5, 1.5, -2.5, 2.6]).toArray(), [0, 2, -2, 3]);
  const whole = cg.tensor([2 ** 30 + 1, -7], { dtype: "int32" });
  for (const f of [cg.round, cg.floor, cg.ceil, cg.trunc]) {
    assertEquals([f(whole).dtype, ...f(whole).data], ["int32", 2 ** 30 + 1, -7]);
    assertEquals(cg.grad((x: cg.Tensor) => f(x).sum())(cg.tensor([0.5, 2])).toArray(), [0, 0]);
  }
});

Deno.test("mod() rounds nothing, however far numbers are from each other", () => {
  const wide = fc.double({ noNaN: true, noDefaultInfinity: true });
  const at = (x: number, dtype: "float32" | "float64") => cg.tensor([Math.abs(x)], { dtype });
  const cases: [number, number][] = [[1e300, 3e-300], [1e308, 3], [1.7e308, 1.5e-323], [3e38, 7]];
  fc.assert(
    fc.property(wide, wide, (x, y) => {
      for (const dtype of ["float64", "float32"] as const) {
        const [a, b] = [at(x, dtype), at(y, dtype)];
        const [p, q] = [a.item(), b.item()];
        if (Number.isFinite(p) && Number.isFinite(q) && q > 0) {
          assertEquals(cg.mod(a, b).item(), p % q, `${p} % ${q}`);
        }
      }
    }),
    { examples: cases, numRuns: 2000 },
  );
});

Deno.test("mod() of integers is exact, an integer, and 0 where the divisor is", () => {
  const int = fc.oneof(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.integer({ min: -9, max: 9 }),
    fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 2 ** 30, 2 ** 24 + 1, 0),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(int, int), { minLength: 1, maxLength: 50 }), (pairs) => {
      const [a, b] = [0, 1].map((k) => cg.tensor(Int32Array.from(pairs, (pair) => pair[k]!)));
      const found = cg.mod(a!, b!);
      assertEquals(found.dtype, "int32");
      const right = pairs.map(([a, b]) => b === 0 ? 0 : a - b * Math.floor(a / b) + 0);
      assertEquals(found.toArray(), right);
    }),
  );
});

Deno.test("mod() has the sign of the divisor, and the quotient in its gradient", () => {
  assertEquals(cg.mod([7, -7, 7, -7], [3, 3, -3, -3]).toArray(), [1, 2, -2, -1]);
  assertEquals(cg.mod([-6, 6], [3, -3]).toArray(), [0, -0]);
  assertEquals(cg.mod([5, -5, Infinity, 5], [Infinity, Infinity, 3, 0]).toArray(), [
    5,
    Infinity,
    NaN,
    NaN,
  ]);
  const slope = cg.grad((b: cg.Tensor) => cg.mod([7, -7], b).sum());
  assertEquals(slope(cg.tensor([3, 3])).toArray(), [-2, 3]);
});

Deno.test("lgamma() has poles, and is exact at 1 and 2", () => {
  assertEquals(cg.lgamma(f64([0, -1, 1, 2, Infinity])).toArray(), [
    Infinity,
    Infinity,
    0,
    0,
    Infinity,
  ]);
});

Deno.test("lgamma() and digamma() reflect negative arguments", () => {
  const x = f64([-0.5, -2.25, -100.3]);
  const identity = cg.lgamma(x).add(cg.lgamma(cg.sub(1, x)));
  const expected = x.toArray() as number[];
  identity.data.forEach((v: number, i: number) => {
    const right = Math.log(Math.PI / Math.abs(Math.sin(Math.PI * expected[i]!)));
    if (Math.abs(v - right) > 1e-11 * Math.abs(right)) throw new Error(`${v} ${right}`);
  });
  const digammaIdentity = cg.digamma(cg.sub(1, x)).sub(cg.digamma(x));
  digammaIdentity.data.forEach((v: number, i: number) => {
    const right = Math.PI / Math.tan(Math.PI * expected[i]!);
    if (Math.abs(v - right) > 1e-10 * Math.max(1, Math.abs(right))) {
      throw new Error(`${v} ${right}`);
    }
  });
});

Deno.test("integers divide to fractions, and keep their type in sums and products", () => {
  const x = cg.tensor([3, 4], { dtype: "int32" });
  assertEquals([x.add(1).dtype, x.mul(x).dtype, x.div(2).dtype], ["int32", "int32", "float32"]);
  assertEquals(x.add(0.5).dtype, "float32");
  assertEquals(x.mean().item(), 3.5);
  assertEquals(x.exp().dtype, "float32");
});

Deno.test("int32 products wrap as 32-bit integers do", () => {
  const x = cg.tensor([2 ** 30 + 1], { dtype: "int32" });
  assertEquals(x.mul(x).item(), Math.imul(2 ** 30 + 1, 2 ** 30 + 1));
});

Deno.test("booleans are counted by sum() and act as 0 and 1 in arithmetic", () => {
  const x = cg.tensor([true, false, true]);
  assertEquals([x.sum().item(), x.sum().dtype], [2, "int32"]);
  assertEquals(x.add(x).toArray(), [2, 0, 2]);
  assertEquals(x.mul(0.5).toArray(), [0.5, 0, 0.5]);
});

Deno.test("plain numbers adopt the type of what they meet, nested arrays too", () => {
  const x = f64([1, 2]);
  assertEquals(x.add([0.1, 0.2]).toArray(), [1.1, 2.2]);
  assertEquals(cg.sub(0.1, x).dtype, "float64");
  assertEquals(cg.tensor([1]).add(0.1).dtype, "float32");
});

Deno.test("float32 and float64 meet in float64, and gradients go back in their own types", () => {
  const [a, b] = cg.grad((x: cg.Tensor, y: cg.Tensor) => x.mul(y).sum(), { argnums: [0, 1] })(
    cg.tensor([2]),
    f64([3]),
  );
  assertEquals([a.dtype, b.dtype], ["float32", "float64"]);
});

Deno.test("relative entropies of nothing are the other number, and bend nowhere", () => {
  const all = (a: cg.Tensor, b: cg.Tensor) => relativeEntropy(a, b).sum();
  for (const other of [0, 1, 2]) {
    const [a, b] = [f64([0]), f64([other])];
    assertEquals(all(a, b).item(), other);
    const by = cg.grad(all, { argnums: [0, 1], checkNaN: true })(a, b);
    assertEquals(by.map((g) => Math.abs(g.item())), [0, 1]);
    for (const argnums of [0, 1]) {
      const slope = (x: cg.Tensor, y: cg.Tensor) => cg.grad(all, { argnums })(x, y).sum();
      const bend = (x: cg.Tensor, y: cg.Tensor) =>
        cg.grad(slope, { argnums: [0, 1] })(x, y).reduce((sum, g) => sum.add(g.sum()), f64(0));
      for (const f of [slope, bend]) {
        const bends = cg.grad(f, { argnums: [0, 1], checkNaN: true })(a, b);
        assertEquals(bends.map((g) => Math.abs(g.item())), [0, 0]);
      }
    }
  }
});

Deno.test("relative entropies have their digits at any ratio, and are NaN of negative numbers", () => {
  const at = (a: number, b: number) => relativeEntropy(cg.tensor([a]), cg.tensor([b])).item();
  for (const [a, b] of [[70, -20], [40, -20], [100, -100]] as const) {
    const expected = 2 ** a * ((a - b) * Math.LN2 - 1);
    assertAllClose(at(2 ** a, 2 ** b), expected, { rtol: 1e-6 });
  }
  assertEquals(at(2 ** -70, 2 ** 20), 2 ** 20);
  assertEquals([at(3, 0), at(0, Infinity), at(3, Infinity)], [Infinity, Infinity, Infinity]);
  for (const [a, b] of [[-1, 2], [1, -2], [-1, -2], [NaN, 1], [1, NaN], [0, NaN]] as const) {
    assertEquals(at(a, b), NaN);
  }
});
