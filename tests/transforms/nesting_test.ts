/** Transforms of transforms, in every order, against closed forms. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  add,
  exp,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  matmul,
  mul,
  sin,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
} from "../../mod.ts";
import { assertAllClose } from "../../src/testing.ts";

type Scalar = (x: Tensor) => Tensor;

const f64 = (data: number | number[] | number[][]) => tensor(data, { dtype: "float64" });

/** Ways to the derivative of a function from a number to a number. */
const DERIVATIVES: Record<string, (f: Scalar) => Scalar> = {
  grad: (f) => (x) => grad(f)(x),
  valueAndGrad: (f) => (x) => valueAndGrad(f)(x)[1],
  vjp: (f) => (x) => vjp(f, x)[1](1)[0],
  jvp: (f) => (x) => jvp(f, [x], [1])[1],
  jacobian: (f) => (x) => jacobian(f)(x),
};

const WAYS = Object.entries(DERIVATIVES);

for (const [name, d] of WAYS) {
  Deno.test(`${name} of itself, up to five times, gives higher derivatives`, () => {
    const x = 0.7;
    assertAlmostEquals(d(d(sin))(f64(x)).item(), -Math.sin(x), 1e-12);
    assertAlmostEquals(d(d(d(sin)))(f64(x)).item(), -Math.cos(x), 1e-12);
    assertAlmostEquals(d(d(d((y) => y.pow(4))))(f64(x)).item(), 24 * x, 1e-12);
    assertAlmostEquals(
      d(d(d(d((y) => mul(y, 2).exp()))))(f64(x)).item(),
      16 * Math.exp(2 * x),
      1e-9,
    );
  });
}

Deno.test("grad five times over gives the fifth derivative", () => {
  const fifth = grad(grad(grad(grad(grad((x: Tensor) => x.pow(6))))));
  assertAlmostEquals(fifth(f64(0.5)).item(), 720 * 0.5, 1e-10);
});

for (const [outerName, outer] of WAYS) {
  for (const [innerName, inner] of WAYS) {
    const pair = `${innerName} inside of ${outerName}`;

    Deno.test(`${pair} does not confuse its variable with the outer one`, () => {
      // d/dx (x · d/dy (x + y)) = 1, where confusion gives 2.
      assertEquals(outer((x) => x.mul(inner((y) => x.add(y))(f64(1))))(f64(3)).item(), 1);
      // d/dx (x · d/dy (x · y)) = 2x.
      assertEquals(outer((x) => x.mul(inner((y) => x.mul(y))(f64(5))))(f64(3)).item(), 6);
      // d/dy x = 0, and d/dx (d/dy x²) = 0.
      assertEquals(outer((x) => inner((_) => x)(f64(5)).add(x))(f64(3)).item(), 1);
      assertEquals(outer((x) => inner((_) => x)(f64(5)).mul(x))(f64(3)).item(), 0);
      assertEquals(outer((x) => inner((_) => x.square())(f64(5)))(f64(3)).item(), 0);
    });

    Deno.test(`${pair} differentiates at a point that depends on the outer variable`, () => {
      // d/dx [∂/∂y (x² y³) at y = x] = d/dx 3x⁴.
      const f = (x: Tensor) => inner((y) => mul(x.square(), y.pow(3)))(x);
      assertAlmostEquals(outer(f)(f64(1.3)).item(), 12 * 1.3 ** 3, 1e-11);
      // d/dx [∂/∂y sin(x y) at y = x²] = d/dx x cos x³.
      const g = (x: Tensor) => inner((y) => sin(mul(x, y)))(x.square());
      const x = 0.8;
      const expected = Math.cos(x ** 3) - 3 * x ** 3 * Math.sin(x ** 3);
      assertAlmostEquals(outer(g)(f64(x)).item(), expected, 1e-11);
    });

    for (const [innermostName, innermost] of WAYS) {
      Deno.test(`${innermostName} inside of ${pair} sees all three variables`, () => {
        // ∂/∂z (x² y z³) at z = xy is 3x⁴y³; d/dy (y · that) at y = x is 12x⁷; d/dx is 84x⁶.
        const f = (x: Tensor) =>
          inner((y) => mul(y, innermost((z) => mul(x.square().mul(y), z.pow(3)))(x.mul(y))))(x);
        assertAlmostEquals(outer(f)(f64(0.9)).item(), 84 * 0.9 ** 6, 1e-9);
      });
    }
  }
}

Deno.test("an inner gradient may be taken twice, at different points", () => {
  const f = (x: Tensor) => {
    const slope = grad((y: Tensor) => mul(x, y.pow(3)));
    return slope(x).mul(slope(x.mul(2)));
  };
  // 3x³ · 12x³ = 36x⁶.
  assertAlmostEquals(grad(f)(f64(0.5)).item(), 216 * 0.5 ** 5, 1e-12);
});

Deno.test("a pullback may be called inside of another transform", () => {
  const [, pullback] = vjp((x: Tensor) => x.pow(3), f64(2));
  // The pullback is linear in its cotangent: g ↦ 12g.
  assertEquals(grad((g: Tensor) => pullback(g.square())[0])(f64(5)).item(), 120);
});

Deno.test("a pullback made and called in between sees the outer variable", () => {
  const f = (x: Tensor) => {
    const [y, pullback] = vjp((z: Tensor) => mul(x, z.square()), x);
    return mul(y, pullback(x)[0]);
  };
  // y = x³, the pullback of x is x · 2x² = 2x³: together 2x⁶.
  assertAlmostEquals(grad(f)(f64(0.7)).item(), 12 * 0.7 ** 5, 1e-12);
});

/** A function with third derivatives in every direction. */
const energy = (x: Tensor) => sum(mul(x.pow(3), x.slice(0, 1))).add(exp(sum(x)));

const point = f64([0.3, -0.5, 0.8]);
const direction = f64([1, 2, -0.5]);

/** The Hessian of `energy` by hand: Σ xᵢ³ x₀ + e^Σx. */
function handHessian(): Tensor {
  const x = [...point.data];
  const e = Math.exp(x[0]! + x[1]! + x[2]!);
  const rows = x.map((_, i) =>
    x.map((_, j) => {
      if (i === 0 && j === 0) return 12 * x[0]! ** 2 + e;
      if (i === 0 || j === 0) return 3 * x[i + j]! ** 2 + e;
      return (i === j ? 6 * x[i]! * x[0]! : 0) + e;
    })
  );
  return f64(rows);
}

const HESSIANS: Record<string, () => Tensor> = {
  "hessian": () => hessian(energy)(point),
  "jacobian of grad": () => jacobian((x: Tensor) => grad(energy)(x))(point),
  "jacobian of jacobian": () => jacobian((x: Tensor) => jacobian(energy)(x))(point),
  "jacobian of a pullback": () => jacobian((x: Tensor) => vjp(energy, x)[1](1)[0])(point),
};

for (const [name, compute] of Object.entries(HESSIANS)) {
  Deno.test(`${name} is the Hessian`, () => {
    assertAllClose(compute(), handHessian(), { rtol: 1e-12, atol: 1e-12 });
  });
}

const PRODUCTS: Record<string, () => Tensor> = {
  "hvp": () => hvp(energy)(point, direction),
  "jvp of grad": () => jvp((x: Tensor) => grad(energy)(x), [point], [direction])[1],
  "grad of jvp": () => grad((x: Tensor) => jvp(energy, [x], [direction])[1])(point),
  "grad of grad times v": () => grad((x: Tensor) => sum(mul(grad(energy)(x), direction)))(point),
  "vjp of grad": () => vjp((x: Tensor) => grad(energy)(x), point)[1](direction)[0],
  "jvp of jacobian": () => jvp((x: Tensor) => jacobian(energy)(x), [point], [direction])[1],
  "grad of valueAndGrad": () =>
    grad((x: Tensor) => sum(mul(valueAndGrad(energy)(x)[1], direction)))(point),
};

for (const [name, compute] of Object.entries(PRODUCTS)) {
  Deno.test(`${name} is the Hessian times a vector`, () => {
    assertAllClose(compute(), matmul(handHessian(), direction), { rtol: 1e-12, atol: 1e-12 });
  });
}

Deno.test("jvp of jvp is the second derivative along two directions", () => {
  const along = (x: Tensor) => jvp(energy, [x], [direction])[1];
  const other = f64([0.5, -1, 3]);
  const expected = sum(mul(matmul(handHessian(), direction), other));
  assertAllClose(jvp(along, [point], [other])[1], expected, { rtol: 1e-12, atol: 1e-12 });
});

Deno.test("hvp of a function that closes over an outer variable is differentiated by it", () => {
  // f(y) = a Σ y⁴ has H v = 12 a y² v, so d/da Σ (H v) = Σ 12 y² v.
  const f = (a: Tensor) => hvp((y: Tensor) => mul(a, y.pow(4).sum()))(point, direction).sum();
  const expected = sum(mul(mul(point.square(), direction), 12));
  assertAllClose(grad(f)(f64(2)), expected, { rtol: 1e-12 });
  assertAllClose(jvp(f, [f64(2)], [1])[1], expected, { rtol: 1e-12 });
});

Deno.test("hvp at a point and along a vector under differentiation is differentiated by both", () => {
  // H(x) v = 6 x v for Σ x³; at x = v = t it is 6 t².
  const f = (t: Tensor) => hvp((y: Tensor) => y.pow(3).sum())(t, t);
  assertAllClose(grad((t: Tensor) => f(t).sum())(f64([0.5, 2])), [6, 24]);
  assertAllClose(jacobian(f)(f64([0.5, 2])), [[6, 0], [0, 24]]);
});

Deno.test("hessian of a function that closes over an outer variable is differentiated by it", () => {
  const trace = (a: Tensor) => {
    const h = hessian((y: Tensor) => mul(a.square(), y.pow(3).sum()))(f64([1, 2]));
    return h.sum();
  };
  // The Hessian is diag(6 a² y): its sum is 18 a².
  assertAlmostEquals(grad(trace)(f64(3)).item(), 108, 1e-10);
});

Deno.test("a step of gradient descent is differentiated by its learning rate", () => {
  const loss = (w: Tensor) => w.square().sum();
  const after = (rate: Tensor) => loss(add(point, mul(rate, grad(loss)(point)).neg()));
  // (1 − 2r)² Σ w² has the slope −4 (1 − 2r) Σ w².
  const norm = [...point.data].reduce((s, v) => s + v * v, 0);
  assertAlmostEquals(grad(after)(f64(0.1)).item(), -4 * 0.8 * norm, 1e-12);
  assertAlmostEquals(grad(grad(after))(f64(0.1)).item(), 8 * norm, 1e-12);
});

Deno.test("trees go through nested transforms", () => {
  const f = (p: { a: Tensor; b: Tensor }) => mul(p.a.square(), p.b.pow(3)).sum();
  const slope = (p: { a: Tensor; b: Tensor }) => {
    const g = grad(f)(p);
    return g.a.add(g.b).sum();
  };
  // ∂a + ∂b = 2ab³ + 3a²b².
  const second = grad(slope)({ a: f64(2), b: f64(3) });
  assertEquals(second.a.item(), 2 * 27 + 6 * 2 * 9);
  assertEquals(second.b.item(), 6 * 2 * 9 + 6 * 4 * 3);
});

Deno.test("aux of an inner transform carries the outer variable's gradient", () => {
  const f = (x: Tensor) => {
    const inner = (y: Tensor): [Tensor, Tensor] => [mul(x, y), mul(x, y.square())];
    const [slope, aux] = grad(inner, { hasAux: true })(x);
    return slope.add(aux);
  };
  // slope = x, aux = x³.
  assertAlmostEquals(grad(f)(f64(0.5)).item(), 1 + 3 * 0.25, 1e-12);
});

Deno.test("the value of an inner valueAndGrad carries the outer variable's gradient", () => {
  const f = (x: Tensor) => valueAndGrad((y: Tensor) => mul(x, y.square()))(x)[0];
  assertAlmostEquals(grad(f)(f64(2)).item(), 12, 1e-12);
});

Deno.test("float32 stays float32 through nested transforms", () => {
  const x = tensor([0.5, 2]);
  assertEquals(hessian((y: Tensor) => y.pow(3).sum())(x).dtype, "float32");
  assertEquals(hvp((y: Tensor) => y.pow(3).sum())(x, [1, 1]).toArray(), [3, 12]);
});
