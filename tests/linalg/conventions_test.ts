/**
 * What linear algebra does at the edges: nothing, NaN, singular and degenerate matrices, extremes.
 */
import { assert, assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import {
  compile,
  eye,
  forLoop,
  grad,
  hessian,
  jvp,
  type Tensor,
  tensor,
  type TensorLike,
  zeros,
} from "../../mod.ts";
import {
  cholesky,
  det,
  eigh,
  inverse,
  logDet,
  pinv,
  qr,
  solve,
  solveTriangular,
  svd,
} from "../../src/linalg/mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";

const f64 = (data: TensorLike) => tensor(data, { dtype: "float64" });
const rotation = f64([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]]);
/** Symmetric, with given eigenvalues. */
const withValues = (values: number[]) =>
  rotation.mul(values).matmul(rotation.transpose()) as Tensor;

/** Every function of one square matrix, its results in an array. */
const SQUARE: Readonly<Record<string, (a: Tensor) => Tensor[]>> = {
  cholesky: (a) => [cholesky(a)],
  solveTriangular: (a) => [solveTriangular(a, a)],
  solve: (a) => [solve(a, a)],
  inverse: (a) => [inverse(a)],
  det: (a) => [det(a)],
  logDet: (a) => Object.values(logDet(a)),
  eigh: (a) => Object.values(eigh(a)),
  svd: (a) => Object.values(svd(a)),
  qr: (a) => Object.values(qr(a)),
  pinv: (a) => [pinv(a)],
};

const shapesOf = (xs: Tensor[]) => xs.map(({ shape }) => [...shape]);

Deno.test("matrices without rows have results without rows, and a determinant of 1", () => {
  for (const [name, f] of Object.entries(SQUARE)) {
    const results = f(zeros([2, 0, 0]));
    const expected = f(zeros([2, 1, 1]).add(1)).map(({ shape }) =>
      shape.map((n, i) => i > 0 ? 0 : n)
    );
    assertEquals([name, shapesOf(results)], [name, expected]);
  }
  assertEquals(det(zeros([0, 0])).item(), 1);
  assertEquals(det(zeros([2, 0, 0])).toArray(), [1, 1]);
  assertEquals(logDet(zeros([0, 0])).logAbs.item(), 0);
  assertEquals(logDet(zeros([0, 0])).sign.item(), 1);
  assertEquals(grad(det)(zeros([0, 0])).shape, [0, 0]);
});

Deno.test("batches without matrices have results without matrices, and gradients alike", () => {
  for (const [name, f] of Object.entries(SQUARE)) {
    const results = f(zeros([0, 3, 3]));
    const expected = f(eye(3).expandDims(0)).map(({ shape }) => shape.with(0, 0));
    assertEquals([name, shapesOf(results)], [name, expected]);
    const sum = (a: Tensor) => f(a).map((x) => x.sum()).reduce((x, y) => x.add(y));
    assertEquals(grad(sum)(zeros([0, 3, 3])).shape, [0, 3, 3]);
  }
});

Deno.test("rectangles without rows or columns are decomposed, too", () => {
  for (const [m, n] of [[3, 0], [0, 3]] as const) {
    const [{ u, s, vt }, { q, r }] = [svd(zeros([m, n])), qr(zeros([m, n]))];
    assertEquals(shapesOf([u, s, vt]), [[m, 0], [0], [0, n]]);
    assertEquals(shapesOf([q, r]), [[m, 0], [0, n]]);
    assertEquals(pinv(zeros([m, n])).shape, [n, m]);
    assertEquals(solve(eye(3), zeros([3, 0])).shape, [3, 0]);
  }
});

Deno.test("single numbers are matrices, too", () => {
  const a = [[-4]];
  assertEquals(cholesky([[4]]).toArray(), [[2]]);
  assertEquals(solve(a, [8]).toArray(), [-2]);
  assertEquals([det(a).item(), inverse(a).item(), pinv(a).item()], [-4, -0.25, -0.25]);
  assertEquals([eigh(a).values.item(), svd(a).s.item(), logDet(a).sign.item()], [-4, 4, -1]);
  assertEquals([qr(a).q.item(), qr(a).r.item()], [1, -4]);
  assertEquals(grad(det)(a).item(), 1);
  assertAllClose(hessian(det)(a).item(), 0);
});

Deno.test("NaN in a matrix gives NaN there, and in no other matrix of the batch; and in programs", async () => {
  const good = f64([[2, 1], [1, 3]]);
  for (const at of [[0, 0], [1, 0], [1, 1]] as const) {
    const bad = f64(
      [[2, 1], [1, 3]].map((row, i) => row.map((x, j) => i === at[0] && j === at[1] ? NaN : x)),
    );
    const batch = f64([good.toArray(), bad.toArray(), good.toArray()]);
    for (const [name, f] of Object.entries(SQUARE)) {
      await using program = await compile(f, [batch]);
      for (const results of [f(batch), await program(batch) as Tensor[]]) {
        results.forEach((x, i) => {
          const [first, second, third] = [0, 1, 2].map((k) => x.slice(k, k + 1));
          assert(second!.data.some(Number.isNaN), `${name} ${at}`);
          assertEquals([name, first!.data], [name, third!.data]);
          assertAllClose(first!.squeeze(0), f(good)[i]!, { rtol: 1e-12 });
        });
      }
    }
  }
});

Deno.test("decompositions of infinite numbers are NaN, and end", () => {
  for (const f of [SQUARE.eigh!, SQUARE.svd!, SQUARE.qr!, SQUARE.pinv!]) {
    for (const value of [Infinity, -Infinity]) {
      assert(f(f64([[value, 0], [0, 1]])).every((x) => x.data.every(Number.isNaN)));
    }
  }
});

Deno.test("cholesky() refuses what is not positive definite, and is NaN there in programs", async () => {
  const bad = [[[1, 2], [2, 1]], [[0, 0], [0, 0]], [[-1, 0], [0, 1]]];
  await using program = await compile((a: Tensor) => cholesky(a), [f64(bad[0]!)]);
  const loss = (a: Tensor) => cholesky(a).sum();
  await using gradient = await compile(grad(loss), [f64(bad[0]!)]);
  for (const a of bad.map(f64)) {
    assertThrows(() => cholesky(a), RangeError, "a must be positive definite");
    assertThrows(() => grad(loss)(a), RangeError, "a must be positive definite");
    assert((await program(a) as Tensor).data.every(Number.isNaN));
    assert((await gradient(a) as Tensor).data.every(Number.isNaN));
  }
  const batch = f64([[[1, 0], [0, 1]], bad[0]!, [[NaN, 0], [0, 1]]]);
  assertThrows(() => cholesky(batch), RangeError, "matrix 1 of the batch is not");
});

Deno.test("singular systems are refused, and NaN in programs", async () => {
  const a = f64([[1, 2], [2, 4]]);
  const zero = f64([[0, 1], [0, 2]]);
  const calls: [(a: Tensor) => Tensor, string][] = [
    [(a) => solve(a, [1, 2]), "a must be invertible"],
    [(a) => inverse(a), "a must be invertible"],
  ];
  for (const [f, message] of calls) {
    await using program = await compile(f, [a]);
    for (const x of [a, zero]) {
      assertThrows(() => f(x), RangeError, message);
      assert((await program(x)).data.every(Number.isNaN));
    }
  }
  assertThrows(() => solveTriangular(zero, [1, 2]), RangeError, "no 0 on its diagonal");
});

Deno.test("solveTriangular() reads one triangle: the other may hold anything, and has gradient 0", () => {
  const [a, b] = [f64([[2, NaN], [1, 4]]), f64([2, 9])];
  assertEquals(solveTriangular(a, b).toArray(), [1, 2]);
  assertEquals(solveTriangular(a.transpose(), b, { lower: false }).toArray(), [-0.125, 2.25]);
  const gradient = grad((a: Tensor) => solveTriangular(a, b).sum())(a);
  assertEquals(gradient.toArray()[0][1], 0);
  assertEquals(solveTriangular(a, b, { transpose: true }).toArray(), [-0.125, 2.25]);
  const hidden = f64([[0, NaN], [1, 4]]);
  assertThrows(() => solveTriangular(hidden, b), RangeError, "no 0 on its diagonal");
});

Deno.test("cholesky() and eigh() decompose the mean of a matrix and its transpose", () => {
  const [a, b] = [f64([[4, 0], [2, 3]]), f64([[4, 1], [1, 3]])];
  assertAllClose(cholesky(a), cholesky(b));
  assertAllClose(eigh(a).values, eigh(b).values);
  const gradient = grad((a: Tensor) => cholesky(a).sum())(a);
  assertAllClose(gradient, gradient.transpose());
});

Deno.test("b is a vector at rank 1 only, and batches broadcast", () => {
  const a = f64([[[2, 0], [0, 4]], [[1, 0], [0, 8]]]);
  assertEquals(solve(a, [4, 8]).toArray(), [[2, 2], [4, 1]]);
  assertEquals(solve(a, [[4], [8]]).toArray(), [[[2], [2]], [[4], [1]]]);
  assertEquals(solve(a.slice(0, 1), f64([[[4], [8]], [[2], [4]]])).toArray(), [[[2], [2]], [[1], [
    1,
  ]]]);
  assertEquals(solveTriangular(a, [4, 8]).shape, [2, 2]);
  assertEquals(solve(eye(2), zeros([5, 2, 3])).shape, [5, 2, 3]);
  checkGradients((a: Tensor, b: Tensor) => solve(a, b), [
    f64([[2, 1], [0, 3]]),
    f64([[[1], [2]], [[3], [5]]]),
  ], { order: 2 });
  checkGradients((a: Tensor, b: Tensor) => solve(a, b), [a, f64([1, 2])], { order: 2 });
});

Deno.test("det() has the cofactors as its gradient at singular matrices, and a second derivative", () => {
  const singular = [[[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 3], [2, 4, 6], [3, 6, 9]], [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]];
  const minors = [[[-3, 6, -3], [6, -12, 6], [-3, 6, -3]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]], [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]];
  singular.forEach((a, i) => {
    assertAllClose(grad(det)(f64(a)), f64(minors[i]!), { atol: 1e-13 });
    checkGradients((x: Tensor) => det(x), [f64(a)], { order: 2, atol: 1e-7 });
  });
  assertAllClose(hessian(det)(zeros([2, 2])).reshape([4, 4]), [[0, 0, 0, 1], [0, 0, -1, 0], [
    0,
    -1,
    0,
    0,
  ], [1, 0, 0, 0]]);
  checkGradients((x: Tensor) => det(x), [eye(4, { dtype: "float64" })], { order: 2 });
});

Deno.test("det() has a third and a fourth derivative where singular values repeat", () => {
  const [v, w] = [0, 1].map((i) =>
    f64([0, 1, 2].map((j) => [0, 1, 2].map((k) => Math.sin(1 + 9 * i + 3 * j + k))))
  );
  const second = (x: Tensor) => {
    const along = (y: Tensor) => grad(det)(y).mul(v!).sum();
    return grad(along)(x).mul(w!).sum();
  };
  const turn = [[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]];
  const matrices = [
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    [[0, 2, 0], [0, 0, -2], [2, 0, 0]],
    [[3, 0, 0], [0, 3, 0], [0, 0, 500]],
    turn.map((row) => row.map((x) => -7 * x)),
    [[1, 2, 3], [4, 5, 6], [7, 8, 10]],
  ];
  for (const a of matrices) checkGradients(second, [f64(a)], { order: 2, atol: 1e-6 });
});

Deno.test("det() leaves the range of numbers only where its value does", () => {
  const a = f64([[1e300, 0, 0], [0, 1e-300, 0], [0, 0, 5]]);
  assertAllClose(det(a), 5, { rtol: 1e-14 });
  assertAllClose(grad(det)(a).toArray()[2][2], 1, { rtol: 1e-13 });
  assertEquals(det(eye(400, { dtype: "float64" }).mul(10)).item(), Infinity);
  const { sign, logAbs } = logDet(eye(401, { dtype: "float64" }).mul(-10));
  assertEquals(sign.item(), -1);
  assertAllClose(logAbs, 401 * Math.log(10), { rtol: 1e-14 });
});

Deno.test("logDet() of singular matrices is 0 and −∞, without a gradient", () => {
  const { sign, logAbs } = logDet([[1, 2], [2, 4]]);
  assertEquals([sign.item(), logAbs.item()], [0, -Infinity]);
  const gradient = grad((a: Tensor) => logDet(a).logAbs)([[1, 2], [2, 4]]);
  assert(gradient.data.every(Number.isNaN));
  assertEquals(grad((a: Tensor) => logDet(a).sign)([[1, 2], [3, 4]]).toArray(), [[0, 0], [0, 0]]);
});

Deno.test("gradients of values alone are finite where values repeat", () => {
  const sumOf = (f: (a: Tensor) => Tensor, weights: number[]) => (a: Tensor) =>
    f(a).mul(weights).sum();
  const values = (a: Tensor) => eigh(a).values;
  const sizes = (a: Tensor) => svd(a).s;
  for (const f of [values, sizes]) {
    for (const a of [eye(3, { dtype: "float64" }), withValues([2, 2, 5])]) {
      // The sum of the values is the trace, for which it does not matter that some are equal.
      assertAllClose(grad(sumOf(f, [1, 1, 1]))(a), eye(3, { dtype: "float64" }), { atol: 1e-14 });
      const some = grad(sumOf(f, [1, 2, 3]))(a);
      assert(some.data.every(Number.isFinite));
    }
  }
  assert(grad(sumOf(sizes, [1, 1, 1]))(zeros([4, 3])).data.every(Number.isFinite));
  const tangent = jvp(values, [eye(3)], [f64([[1, 0, 0], [0, 2, 0], [0, 0, 3]])])[1];
  assert(tangent.data.every(Number.isFinite));
});

Deno.test("a single value has a second derivative where others repeat", () => {
  const a = withValues([2, 2, 5]);
  const largest = (a: Tensor) => eigh(a).values.slice(2).sum();
  checkGradients(largest, [a], { order: 2, rtol: 1e-5, atol: 1e-6 });
  const first = (a: Tensor) => svd(a).s.slice(0, 1).sum();
  checkGradients(first, [a], { order: 2, rtol: 1e-5, atol: 1e-6 });
});

Deno.test("gradients of vectors are not finite where values repeat, and right where they nearly do", () => {
  const corner = (a: Tensor) => eigh(a).vectors.square().slice([0, 0], [1, 1]).sum();
  const exact = f64([[1, 0, 0], [0, 1, 0], [0, 0, 2]]);
  assert(
    grad((a: Tensor) => eigh(a).vectors.mul([[1, 2, 3], [4, 5, 6], [7, 8, 9]]).sum())(exact)
      .data.some((x) => !Number.isFinite(x)),
  );
  const near = f64([[1, 1e-3, 0], [1e-3, 1 + 1e-3, 0], [0, 0, 2]]);
  checkGradients(corner, [near], { rtol: 1e-3, atol: 1e-4 });
});

Deno.test("svd() and qr() are reduced; singular values descend, eigenvalues ascend", () => {
  const wide = f64([[1, 2, 3], [4, 5, 6]]);
  const tall = wide.transpose();
  assertEquals(shapesOf(Object.values(svd(wide))), [[2, 2], [2], [2, 3]]);
  assertEquals(shapesOf(Object.values(svd(tall))), [[3, 2], [2], [2, 2]]);
  assertEquals(shapesOf(Object.values(qr(wide))), [[2, 2], [2, 3]]);
  assertEquals(shapesOf(Object.values(qr(tall))), [[3, 2], [2, 2]]);
  assertEquals(svd(f64([[1, 0], [0, -3]])).s.toArray(), [3, 1]);
  assertEquals(eigh(f64([[1, 0], [0, -3]])).values.toArray(), [-3, 1]);
});

Deno.test("pinv() cuts small values by the precision of the type, and has its gradient at equal ones", () => {
  const cut = (x: number, dtype: "float32" | "float64") =>
    pinv(tensor([[1, 0], [0, x]], { dtype })).toArray()[1][1];
  assertEquals([cut(1e-7, "float32"), cut(4.4e-16, "float64")], [0, 0]);
  assertAllClose(cut(1e-6, "float32"), 1e6, { rtol: 1e-6 });
  assertAllClose(cut(1e-15, "float64"), 1e15, { rtol: 1e-6 });
  checkGradients((a: Tensor) => pinv(a), [eye(3, { dtype: "float64" })], { order: 2, atol: 1e-7 });
  assertEquals(pinv(zeros([2, 3])).toArray(), zeros([3, 2]).toArray());
});

Deno.test("float32 is computed in float64: ill-conditioned systems keep their digits", () => {
  // The condition is about 5e5: elimination in single precision would leave one digit.
  const hilbert = tensor(
    Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => 1 / (i + j + 1))),
  );
  const b = hilbert.cast("float64").matmul([1, 1, 1, 1, 1]);
  const exact = solve(hilbert.cast("float64"), b);
  const single = solve(hilbert, b.cast("float32"));
  assertEquals(single.dtype, "float32");
  assertAllClose(exact, [1, 1, 1, 1, 1], { rtol: 1e-9 });
  assertLess(hilbert.matmul(single).sub(b).abs().max().item(), 1e-6);
  assertAllClose(inverse(hilbert), inverse(hilbert.cast("float64")).cast("float32"), {
    rtol: 1e-6,
  });
});

Deno.test("huge and tiny matrices are decomposed as any other", () => {
  for (const scale of [1e-150, 1e150]) {
    const a = withValues([1, 3, 7]).mul(scale);
    assertAllClose(eigh(a).values.div(scale), [1, 3, 7].map(Number), { rtol: 1e-13 });
    assertAllClose(svd(a).s.div(scale), [7, 3, 1], { rtol: 1e-13 });
    assertAllClose(
      solve(a, f64([1, 2, 3])).mul(scale),
      solve(withValues([1, 3, 7]), f64([1, 2, 3])),
      { rtol: 1e-13 },
    );
    assertAllClose(cholesky(a).div(Math.sqrt(scale)), cholesky(withValues([1, 3, 7])), {
      rtol: 1e-12,
    });
  }
});

Deno.test("integers and booleans become float32, and types meet in the stronger one", () => {
  const a = tensor([[2, 1], [1, 3]], { dtype: "int32" });
  for (const f of Object.values(SQUARE)) for (const x of f(a)) assertEquals(x.dtype, "float32");
  assertEquals(solve(a, f64([1, 2])).dtype, "float64");
  assertEquals(solve([[2, 1], [1, 3]], f64([1, 2])).dtype, "float64");
  assertEquals(det([[true, false], [false, true]]).item(), 1);
});

Deno.test("programs say that the host does it", async () => {
  await using program = await compile((a: Tensor) => cholesky(a).sum(), [eye(3)]);
  assertStringIncludes(program.explain(), "cholesky(%0)  on the host");
});

Deno.test("loops solve a system in every turn, with gradients, eagerly and in programs", async () => {
  const newton = (a: Tensor, b: Tensor) =>
    forLoop(
      3,
      (x: Tensor) => x.add(solve(a, b.sub(a.matmul(x)))),
      zeros([2, 1], { dtype: "float64" }),
    );
  const inputs: [Tensor, Tensor] = [f64([[2, 1], [1, 3]]), f64([[1], [2]])];
  const loss = (a: Tensor, b: Tensor) => newton(a, b).square().sum();
  checkGradients(loss, inputs);
  const f = grad(loss, { argnums: [0, 1] });
  await using program = await compile(f, inputs);
  const [expected, found] = [f(...inputs), await program(...inputs)];
  found.forEach((x, i) => assertAllClose(x, expected[i]!));
});
