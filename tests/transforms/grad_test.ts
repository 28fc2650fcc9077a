/** grad, valueAndGrad, vjp, jvp, hvp, jacobian, hessian: arguments, trees, results and messages. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  argMax,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  matmul,
  mul,
  stack,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  zeros,
} from "../../mod.ts";
import { assertAllClose } from "../../src/testing.ts";

type Kind = new () => Error;

const message = (f: () => unknown, kind: Kind = TypeError) => assertThrows(f, kind).message;

const f64 = (data: number[] | number[][]) => tensor(data, { dtype: "float64" });

const cubes = (x: Tensor) => x.pow(3).sum();

Deno.test("grad() differentiates by the first argument by default", () => {
  const f = (x: Tensor, y: Tensor) => x.mul(y).sum();
  assertEquals(grad(f)([1, 2], tensor([3, 4])).toArray(), [3, 4]);
  assertEquals(grad(f, {})([1, 2], tensor([3, 4])).toArray(), [3, 4]);
  assertEquals(grad(f, { argnums: undefined as unknown as 0 })([1, 2], tensor([3, 4])).toArray(), [
    3,
    4,
  ]);
});

Deno.test("grad() differentiates by the argument that argnums names", () => {
  const f = (x: Tensor, y: Tensor) => x.mul(y).sum();
  assertEquals(grad(f, { argnums: 1 })(tensor([1, 2]), [3, 4]).toArray(), [1, 2]);
});

Deno.test("grad() gives an array of gradients for an array of argnums, in its order", () => {
  const f = (x: Tensor, y: Tensor, z: Tensor) => x.mul(y).mul(z).sum();
  const [byZ, byX] = grad(f, { argnums: [2, 0] })([2], tensor([3]), [5]);
  assertEquals([byZ.toArray(), byX.toArray()], [[6], [15]]);
  assertEquals(grad(f, { argnums: [1] })(tensor([2]), [3], tensor([5])).length, 1);
});

Deno.test("grad() takes numbers, nested arrays and typed arrays to differentiate by", () => {
  assertEquals(grad(cubes)(2).toArray(), 12);
  assertEquals(grad(cubes)([[1, 2]]).toArray(), [[3, 12]]);
  const gradient = grad(cubes)(Float64Array.of(1, 2));
  assertEquals([gradient.dtype, gradient.toArray()], ["float64", [3, 12]]);
});

Deno.test("grad() passes arguments on that it does not differentiate by", () => {
  const f = (x: Tensor, labels: Int32Array, options: { scale: number }, g: (x: Tensor) => Tensor) =>
    g(x.gather(labels)).mul(options.scale).sum();
  const gradient = grad(f)([1, 2, 3], Int32Array.of(2, 2), { scale: 5 }, (x) => x.square());
  assertEquals(gradient.toArray(), [0, 0, 60]);
});

Deno.test("grad() gives a tree like the argument", () => {
  const f = (p: { w: Tensor; layers: { b: Tensor; scale: Tensor }[] }) =>
    p.w.mul(3).sum().add(p.layers[0]!.b.mul(p.layers[1]!.scale).sum());
  const gradient = grad(f)({
    w: tensor([1, 2]),
    layers: [{ b: 2, scale: [7] }, { b: Float64Array.of(1), scale: [[4]] }],
  });
  assertEquals(gradient.w.toArray(), [3, 3]);
  assertEquals([gradient.layers[0]!.b.toArray(), gradient.layers[0]!.scale.toArray()], [4, [0]]);
  assertEquals([gradient.layers[1]!.b.toArray(), gradient.layers[1]!.scale.toArray()], [[0], [[
    2,
  ]]]);
  assertEquals(gradient.layers[1]!.b.dtype, "float64");
});

Deno.test("grad() gives each leaf of a tree its own gradient, even of one tensor", () => {
  const x = tensor(3);
  const gradient = grad((p: [Tensor, Tensor]) => p[0].square().mul(p[1]))([x, x]);
  assertEquals(gradient.map((g) => g.item()), [18, 9]);
});

Deno.test("grad() of a function that ignores its argument is zero", () => {
  const constant = tensor(5);
  const gradient = grad((_: Tensor) => constant)(f64([1, 2]));
  assertEquals([gradient.dtype, gradient.toArray()], ["float64", [0, 0]]);
  assertEquals(grad((x: Tensor) => argMax(x).cast("float32"))([1, 2]).toArray(), [0, 0]);
});

Deno.test("grad() of the identity is one", () => {
  assertEquals(grad((x: Tensor) => x)([7]).toArray(), [1]);
});

Deno.test("grad() adds up what comes back on several ways", () => {
  assertEquals(grad((x: Tensor) => x.mul(x).add(x).sub(x.mul(3)))(5).item(), 8);
});

Deno.test("grad() of an output with one value of any rank", () => {
  assertEquals(grad((x: Tensor) => x.mul(2).reshape([1, 1]))([3]).toArray(), [2]);
});

Deno.test("grad() returns aux with the gradient, as plain tensors", () => {
  const f = (x: Tensor): [Tensor, { y: Tensor; names: string[] }] => {
    const y = x.square();
    return [y.sum(), { y, names: ["a"] }];
  };
  const [gradient, aux] = grad(f, { hasAux: true })([1, 2]);
  assertEquals(gradient.toArray(), [2, 4]);
  assertEquals([aux.y.add(1).toArray(), aux.names], [[2, 5], ["a"]]);
});

Deno.test("valueAndGrad() returns the value as a plain tensor, and the gradient", () => {
  const [value, gradient] = valueAndGrad(cubes)([1, 2]);
  assertEquals([value.add(1).item(), gradient.toArray()], [10, [3, 12]]);
});

Deno.test("valueAndGrad() returns aux beside the value", () => {
  const f = (x: Tensor, y: Tensor): readonly [Tensor, Tensor] => [x.mul(y).sum(), x.add(y)];
  const [[value, aux], [byX, byY]] = valueAndGrad(f, { hasAux: true, argnums: [0, 1] })([1], [5]);
  assertEquals([value.item(), aux.toArray(), byX.toArray(), byY.toArray()], [5, [6], [5], [1]]);
});

Deno.test("grad() gives gradients in the types of the arguments", () => {
  const f = (x: Tensor, y: Tensor) => x.mul(y).sum();
  const [byX, byY] = grad(f, { argnums: [0, 1] })(tensor([1]), f64([2]));
  assertEquals([byX.dtype, byY.dtype], ["float32", "float64"]);
});

Deno.test("grad() handles empty tensors", () => {
  const gradient = grad((x: Tensor) => x.square().sum())(zeros([0, 3]));
  assertEquals([gradient.shape, gradient.size], [[0, 3], 0]);
});

for (const [name, transform] of Object.entries({ grad, valueAndGrad })) {
  const run = transform as unknown as (f: unknown, o?: object) => (...args: unknown[]) => unknown;

  Deno.test(`${name}() wants a function that returns one floating number`, () => {
    const results: [unknown, string][] = [
      [tensor([1, 2]), "current shape is [2]; reduce it by sum or mean, or use jacobian"],
      [zeros([0]), "current shape is [0]; reduce it by sum or mean, or use jacobian"],
      [argMax([1, 2]), "current dtype is int32"],
      [Promise.resolve(tensor(1)), "current value is a promise"],
      [5, "current value is number"],
      [undefined, "current value is undefined"],
      [[tensor(1), 2], "current value is object"],
    ];
    for (const [result, problem] of results) {
      assertEquals(
        message(() => run(() => result)(tensor(1))),
        `Cannot compute ${name} as the function must return one floating number: ${problem}`,
      );
    }
  });

  Deno.test(`${name}() wants [value, aux] where hasAux says so`, () => {
    for (const result of [tensor(1), [tensor(1)], [tensor(1), 2, 3]]) {
      assertEquals(
        message(() => run(() => result, { hasAux: true })(tensor(1))),
        `Cannot compute ${name} as the function must return [value, aux] with hasAux`,
      );
    }
  });

  Deno.test(`${name}() wants floating arguments to differentiate by`, () => {
    for (const x of [Int32Array.of(1), tensor([true]), { w: tensor(1), n: Int32Array.of(2) }]) {
      const dtype = x instanceof Int32Array || "n" in x ? "int32" : "bool";
      const place = "n" in x ? ".n" : "";
      assertEquals(
        message(() => run(() => tensor(1))(x)),
        `Cannot compute ${name} as argument 0${place} must be floating: ` +
          `current dtype is ${dtype}`,
      );
    }
  });

  Deno.test(`${name}() wants argnums that name arguments`, () => {
    for (const [argnums, value] of [[2, 2], [-1, -1], [[0, 3], 3]] as const) {
      assertEquals(
        message(() => run(() => tensor(1), { argnums })(1, 2), RangeError),
        `Cannot compute ${name} as argnums must name arguments from 0 to 1: ` +
          `current value is ${value}`,
      );
    }
    for (const [argnums, value] of [[0.5, "0.5"], ["x", '"x"'], [null, "null"]] as const) {
      assertEquals(
        message(() => run(() => tensor(1), { argnums: argnums as number })),
        `Cannot compute ${name} as argnums must be a whole number or an array of them: ` +
          `current value is ${value}`,
      );
    }
    assertEquals(
      message(() => run(() => tensor(1), { argnums: [1, 1] })(1, 2), RangeError),
      `Cannot compute ${name} as argnums names an argument twice: current value is [1, 1]`,
    );
  });

  Deno.test(`${name}() names a foreign leaf`, () => {
    assertEquals(
      message(() => run(() => tensor(1), { argnums: 1 })(1, { w: [tensor(1), "no"] })),
      `Cannot compute ${name} as argument 1.w[1] must be a tensor, or an array or plain object of ` +
        'tensors: current value is "no"',
    );
  });
}

Deno.test("vjp() gives the output, and pulls back as often as asked", () => {
  const [y, pullback] = vjp((x: Tensor, w: Tensor) => matmul(x, w), [[1, 2]], [[3], [4]]);
  assertEquals(y.toArray(), [[11]]);
  for (const g of [1, 10]) {
    const [byX, byW] = pullback([[g]]);
    assertEquals([byX.toArray(), byW.toArray()], [[[3 * g, 4 * g]], [[g], [2 * g]]]);
  }
});

Deno.test("vjp() takes and returns trees", () => {
  const f = (p: { a: Tensor; b: Tensor }) => ({ sum: p.a.add(p.b), rest: [p.a.mul(p.b)] });
  const [y, pullback] = vjp(f, { a: f64([2]), b: f64([5]) });
  assertEquals([y.sum.toArray(), y.rest[0]!.toArray()], [[7], [10]]);
  const [gradient] = pullback({ sum: [1], rest: [tensor([100])] });
  assertEquals([gradient.a.toArray(), gradient.b.toArray()], [[501], [201]]);
});

Deno.test("vjp() matches cotangents by key, however the keys are ordered", () => {
  const [, pullback] = vjp((x: Tensor) => ({ a: x.mul(1), b: x.mul(10) }), [1]);
  assertEquals(pullback({ b: [1], a: [2] })[0].toArray(), [12]);
});

Deno.test("vjp() and jvp() take cotangents and tangents to the types of what they belong to", () => {
  const [, pullback] = vjp((x: Tensor) => x, tensor([1, 2]));
  assertEquals(pullback(f64([1, 1]))[0].dtype, "float32");
  assertEquals(jvp((x: Tensor) => x, [tensor([1, 2])], [f64([1, 1])])[1].dtype, "float32");
});

Deno.test("vjp() of an output that ignores the argument pulls back zero", () => {
  const [y, pullback] = vjp((_: Tensor) => [tensor([1, 2]), argMax([1, 3])], [5, 6, 7]);
  assertEquals(y.map((leaf) => leaf.toArray()), [[1, 2], 1]);
  assertEquals(pullback([[1, 1], tensor(0)])[0].toArray(), [0, 0, 0]);
});

Deno.test("vjp() wants cotangents of the output's shapes and branches", () => {
  const [, pullback] = vjp((x: Tensor) => x.square(), [1, 2]);
  assertEquals(
    message(() => pullback([1, 2, 3])),
    "Cannot compute vjp as the cotangent must have the shape [2]: current shape is [3]",
  );
  const [, pullPair] = vjp((x: Tensor) => ({ a: x, b: x }), [1, 2]);
  assertEquals(
    message(() => pullPair({ a: [1, 2] } as never)),
    'Cannot compute vjp as the trees must have the same branches: current values are {"a":0,"b":0} ' +
      'and {"a":0}',
  );
});

Deno.test("hessian() and hvp() tell of what the function returns in their own names", () => {
  const squares = (x: Tensor) => x.square();
  const rest = "as the function must return one floating number: current shape is [2]; reduce it";
  assertStringIncludes(message(() => hessian(squares)([1, 2])), `Cannot compute hessian ${rest}`);
  assertStringIncludes(message(() => hvp(squares)([1, 2], [1, 0])), `Cannot compute hvp ${rest}`);
});

Deno.test("messages about a leaf tell where it stands", () => {
  type Params = { layers: { w: Tensor; steps?: Tensor }[] };
  const params = (w: Tensor, steps = tensor(1)): Params => ({ layers: [{ w, steps }] });
  const loss = ({ layers }: Params) => layers[0]!.w.sum();
  const counted = params(tensor([1]), tensor([3], { dtype: "int32" }));
  const whole = "argument 0.layers[0].steps must be floating: current dtype is int32";
  assertEquals(message(() => grad(loss)(counted)), `Cannot compute grad as ${whole}`);
  assertEquals(message(() => vjp(loss, counted)), `Cannot compute vjp as ${whole}`);
  assertEquals(
    message(() => hvp(loss)(params(tensor([1])), params(tensor([1, 2])))),
    "Cannot compute hvp as v.layers[0].w must have the shape [1]: current shape is [2]",
  );
});

Deno.test("vjp() and jacobian() want floating arguments and a tree of tensors", () => {
  const run = {
    vjp: (f: (x: Tensor) => unknown, x: Tensor) => vjp(f as (x: Tensor) => Tensor, x),
    jacobian: (f: (x: Tensor) => unknown, x: Tensor) => jacobian(f as (x: Tensor) => Tensor)(x),
    jvp: (f: (x: Tensor) => unknown, x: Tensor) => jvp(f as (x: Tensor) => Tensor, [x], [x]),
  };
  for (const [name, call] of Object.entries(run)) {
    assertEquals(
      message(() => call((x) => x, argMax([1, 2]))),
      `Cannot compute ${name} as argument 0 must be floating: current dtype is int32`,
    );
    assertEquals(
      message(() => call(() => [tensor(1), "no"], tensor(1))),
      `Cannot compute ${name} as the function's result[1] must be a tensor, or an array or plain ` +
        'object of tensors: current value is "no"',
    );
  }
});

Deno.test("jvp() gives the output and its derivative along the tangents", () => {
  const [y, dy] = jvp((x: Tensor, w: Tensor) => mul(x, w), [[2, 3], [5, 7]], [[1, 0], [0, 10]]);
  assertEquals([y.toArray(), dy.toArray()], [[10, 21], [5, 30]]);
});

Deno.test("jvp() takes and returns trees, matched by key", () => {
  const f = (p: { a: Tensor; b: Tensor }) => [p.a.mul(p.b), p.a];
  const [y, dy] = jvp(f, [{ a: 2, b: 5 } as never], [{ b: 100, a: 1 } as never]);
  assertEquals([y.map((v) => v.item()), dy.map((v) => v.item())], [[10, 2], [205, 1]]);
});

Deno.test("jvp() of a linear, a constant and an ignored argument", () => {
  assertEquals(jvp((x: Tensor) => x.mul(3), [[1]], [[2]])[1].toArray(), [6]);
  assertEquals(jvp((_: Tensor) => tensor([1, 2]), [[1]], [[2]])[1].toArray(), [0, 0]);
});

Deno.test("jvp() wants tangents of the arguments' shapes, and a floating result", () => {
  assertEquals(
    message(() => jvp((x: Tensor) => x, [[1, 2]], [[1]])),
    "Cannot compute jvp as tangents[0] must have the shape [2]: current shape is [1]",
  );
  assertEquals(
    message(() => jvp((x: Tensor) => argMax(x), [[1, 2]], [[1, 1]])),
    "Cannot compute jvp as the function's result must be floating: current dtype is int32",
  );
});

const numbers = fc.integer({ min: -300, max: 300 }).map((k) => k / 100);
const vectors = (n: number) => fc.array(numbers, { minLength: n, maxLength: n }).map(f64);

/** A smooth map of three numbers to a matrix of two rows. */
const smooth = (x: Tensor) => stack([x.sin().mul(x.sum()), x.square().exp().neg().exp()]);

/** A smooth number of three. */
const energy = (x: Tensor) => smooth(x).square().sum().add(x.tanh().sum());

Deno.test("jvp() is the transpose of vjp(): ⟨g, J v⟩ = ⟨Jᵀ g, v⟩", () => {
  fc.assert(
    fc.property(vectors(3), vectors(3), vectors(6), (x, v, flat) => {
      const g = flat.reshape([2, 3]);
      const [y, dy] = jvp(smooth, [x], [v]);
      const [same, pullback] = vjp(smooth, x);
      assertAllClose(y, same);
      assertAllClose(sum(mul(g, dy)), sum(mul(pullback(g)[0], v)), { rtol: 1e-10, atol: 1e-10 });
    }),
    { seed: 41, numRuns: 50 },
  );
});

Deno.test("jacobian() times a direction is jvp()", () => {
  fc.assert(
    fc.property(vectors(3), vectors(3), (x, v) => {
      const j = jacobian(smooth)(x);
      assertEquals(j.shape, [2, 3, 3]);
      assertAllClose(matmul(j, v), jvp(smooth, [x], [v])[1], { rtol: 1e-10, atol: 1e-10 });
    }),
    { seed: 42, numRuns: 30 },
  );
});

Deno.test("hessian() is symmetric, and times a vector it is hvp()", () => {
  fc.assert(
    fc.property(vectors(3), vectors(3), (x, v) => {
      const h = hessian(energy)(x);
      assertAllClose(h, h.transpose(), { rtol: 1e-9, atol: 1e-9 });
      assertAllClose(hvp(energy)(x, v), matmul(h, v), { rtol: 1e-9, atol: 1e-9 });
    }),
    { seed: 43, numRuns: 30 },
  );
});

Deno.test("hvp() takes trees, matched by key", () => {
  const f = (p: { a: Tensor; b: Tensor }) => p.a.square().mul(p.b).sum();
  const product = hvp(f)({ a: f64([3]), b: f64([5]) }, { b: [1], a: [0] });
  assertEquals([product.a.toArray(), product.b.toArray()], [[6], [0]]);
});

Deno.test("hvp() of no tensors is as empty", () => {
  assertEquals(hvp(() => tensor(1))({}, {}), {});
  assertEquals(hvp(() => tensor(1))([], []), []);
});

Deno.test("hvp() wants a vector like the point", () => {
  assertEquals(
    message(() => hvp(cubes)([1, 2], [1])),
    "Cannot compute hvp as v must have the shape [2]: current shape is [1]",
  );
});

Deno.test("jacobian() has the shape of the output followed by that of the argument", () => {
  assertEquals(jacobian((x: Tensor) => x.sum())(zeros([2, 3])).shape, [2, 3]);
  assertEquals(jacobian((x: Tensor) => x.broadcastTo([4, 2]))(zeros([2])).shape, [4, 2, 2]);
  assertEquals(jacobian((x: Tensor) => x)(tensor(1)).shape, []);
});

Deno.test("jacobian() handles empty outputs and arguments", () => {
  assertEquals(jacobian((x: Tensor) => x.slice(0, 0))(zeros([2])).shape, [0, 2]);
  assertEquals(jacobian((x: Tensor) => x.sum().reshape([1]))(zeros([0, 2])).shape, [1, 0, 2]);
});

Deno.test("jacobian() of trees is a tree like the output of trees like the argument", () => {
  const f = (p: { a: Tensor; b: Tensor }) => ({ y: p.a.mul(p.b), z: [p.b] });
  const j = jacobian(f)({ a: f64([2, 3]), b: f64([5]) });
  assertEquals(j.y.a.toArray(), [[5, 0], [0, 5]]);
  assertEquals(j.y.b.toArray(), [[2], [3]]);
  assertEquals([j.z[0]!.a.toArray(), j.z[0]!.b.toArray()], [[[0, 0]], [[1]]]);
});

Deno.test("hessian() of a tree has a block for every pair of leaves", () => {
  const f = (p: { a: Tensor; b: Tensor }) => p.a.square().mul(p.b).sum();
  const h = hessian(f)({ a: f64([3]), b: f64([5]) });
  assertEquals([h.a.a.toArray(), h.a.b.toArray()], [[[10]], [[6]]]);
  assertEquals([h.b.a.toArray(), h.b.b.toArray()], [[[6]], [[0]]]);
});
