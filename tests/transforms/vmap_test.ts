/** vmap: axes, trees, messages; nested, around and inside of the other transforms, loops and choices. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  checkpoint,
  compile,
  customVjp,
  debugGradient,
  gather,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  linearize,
  normal,
  scan,
  splitKey,
  stack,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
  where,
  whileLoop,
  zeros,
} from "../../mod.ts";
import { matmulOp } from "../../src/ops/linalg.ts";
import { key, permutation, uniform } from "../../src/random.ts";
import { assertAllClose } from "../../src/testing.ts";
import { apply } from "../../src/trace.ts";
import { assertLaw, turns } from "./vmap_law.ts";

const f64 = (data: number[] | number[][] | number) => tensor(data, { dtype: "float64" });
const numbers = (shape: number[], seed = 1) => normal(key(seed), shape, { dtype: "float64" });
const rowsOf = (x: Tensor) => Array.from({ length: x.shape[0]! }, (_, i) => gather(x, i));

// ---- axes and trees

Deno.test("vmap() maps over axis 0 of every argument, and stacks the results", () => {
  const f = (x: Tensor, y: Tensor) => sum(x.mul(y));
  assertEquals(vmap(f)([[1, 2], [3, 4]], [[1, 0], [0, 1]]).toArray(), [1, 4]);
});

Deno.test("vmap() maps over other axes, from the end too, and hands null on as it is", () => {
  const x = numbers([2, 3, 4]);
  const f = (x: Tensor, w: Tensor) => x.mul(w);
  for (const axis of [0, 1, 2, -1, -2, -3]) {
    const rest = x.shape.filter((_, i) => i !== (axis + 3) % 3);
    const w = numbers(rest, 2);
    const moved = x.transpose([(axis + 3) % 3, ...[0, 1, 2].filter((i) => i !== (axis + 3) % 3)]);
    assertEquals(vmap(f, { inAxes: [axis, null] })(x, w), moved.mul(w));
  }
  const seen: unknown[] = [];
  vmap((x: Tensor, ...rest: unknown[]) => (seen.push(...rest), x), { inAxes: [0, null, null] })(
    x,
    "text",
    3,
  );
  assertEquals(seen, ["text", 3]);
});

Deno.test("vmap() puts the rows along any axis of the result, and repeats what is the same", () => {
  const x = numbers([2, 3, 4]);
  assertEquals(vmap((x: Tensor) => x, { outAxes: 1 })(x), x.transpose([1, 0, 2]));
  assertEquals(vmap((x: Tensor) => x, { outAxes: -1 })(x), x.transpose([1, 2, 0]));
  const same = tensor([1, 2, 3]);
  assertEquals(vmap((_: Tensor) => same)(x), stack([same, same]));
  assertEquals(vmap((_: Tensor) => same, { outAxes: -1 })(x), stack([same, same], { axis: 1 }));
  assertEquals(vmap((_: Tensor) => same, { outAxes: null })(x), same);
});

Deno.test("vmap() takes trees, and trees of axes for some of their branches", () => {
  const p = { w: numbers([2, 3]), b: [f64([1, 2, 3]), f64([[4, 5, 6]])] as const };
  const f = ({ w, b: [b, c] }: typeof p, x: Tensor) => ({ y: w.mul(x).add(b), z: [c.mul(x)] });
  const axes = { w: 0, b: [null, 1] };
  assertThrows(() => vmap(f, { inAxes: [axes, null] })(p, f64(2)), TypeError, "same extent");
  const q = { ...p, w: numbers([3, 3]) };
  const { y, z } = vmap(f, { inAxes: [axes, null], outAxes: { y: 1, z: 0 } })(q, f64(2));
  assertEquals(y, q.w.mul(2).add(q.b[0]).transpose());
  assertEquals(z[0], f64([[8], [10], [12]]));
});

Deno.test("vmap() of no rows and of rows of no values", () => {
  assertEquals(vmap((x: Tensor) => x.sum())(zeros([0, 3])).shape, [0]);
  assertEquals(vmap((x: Tensor) => x.matmul(x))(zeros([0, 3, 3])).shape, [0, 3, 3]);
  assertEquals(vmap((x: Tensor) => x.mul(2))(zeros([3, 0])).shape, [3, 0]);
  assertEquals(vmap((k: Tensor) => uniform(k, [4]))(zeros([0, 2], { dtype: "int32" })).shape, [
    0,
    4,
  ]);
  const turns = (x: Tensor) => whileLoop((y: Tensor) => y.less(9), (y: Tensor) => y.add(1), x);
  assertEquals(vmap(turns)(zeros([0])).shape, [0]);
  assertEquals(
    vmap((x: Tensor) => scan((c: Tensor, r: Tensor) => [c, r], 0, x)[1])(zeros([2, 0])).shape,
    [
      2,
      0,
    ],
  );
});

Deno.test("vmap() keeps types, and what its function returns besides tensors becomes some", () => {
  for (const dtype of ["float32", "float64", "int32", "bool"] as const) {
    assertEquals(vmap((x: Tensor) => x.reshape([1]))(zeros([2], { dtype })).dtype, dtype);
  }
  assertEquals(vmap((_: Tensor) => ({ a: 1, b: [true] }))([1, 2]).b.toArray(), [[true], [true]]);
});

// ---- messages

const MESSAGES: Readonly<Record<string, [() => unknown, string]>> = {
  "no function": [
    () => vmap(3 as never),
    "Cannot compute vmap as f must be a function: current value is 3",
  ],
  "another option": [() => vmap((x: Tensor) => x, { in_axes: 0 } as never), "inAxes"],
  "axes that are none": [
    () => vmap((x: Tensor) => x, { inAxes: [0.5] }),
    "Cannot compute vmap as inAxes must be a whole number, null, or arrays and plain objects of them",
  ],
  "axes for no argument": [
    () => vmap((x: Tensor) => x, { inAxes: null }),
    "Cannot compute vmap as inAxes must be a whole number, or an array with an entry for each " +
    "argument: current value is null",
  ],
  "too few axes": [
    () => vmap((x: Tensor, y: Tensor) => x.add(y), { inAxes: [0] })([1], [2]),
    "Cannot compute vmap as inAxes must have one entry for each argument: current numbers are 1 and 2",
  ],
  "axes of other branches": [
    () => vmap((x: { a: Tensor }) => x.a, { inAxes: [{ b: 0 }] })({ a: [1] }),
    "Cannot compute vmap as inAxes[0] must have the branches of argument 0, or be a number or null",
  ],
  "axes of other branches of the result": [
    () => vmap((x: Tensor) => x, { outAxes: [0] })([1]),
    "Cannot compute vmap as outAxes must have the branches of the function's result, or be",
  ],
  "nothing mapped": [
    () => vmap((x: Tensor) => x, { inAxes: [null] })(tensor([1])),
    "Cannot compute vmap as inAxes must map over an axis of at least one tensor: there is none",
  ],
  "no axis": [
    () => vmap((x: Tensor) => x)(3),
    "Cannot compute vmap as argument 0 must have an axis 0 to be mapped over: current shape is []; " +
    "inAxes null hands an argument on as it is",
  ],
  "no such axis of the result": [
    () => vmap((x: Tensor) => x, { outAxes: 2 })([1]),
    "Cannot compute vmap as axis must be an integer in [-1, 0] for a tensor of rank 1",
  ],
  "other extents": [
    () => vmap((x: Tensor, y: Tensor) => x.add(y))([1, 2], [1, 2, 3]),
    "Cannot compute vmap as all axes that are mapped over must have the same extent: current " +
    "extents are 2 and 3",
  ],
  "a result that depends on the rows": [
    () => vmap((x: Tensor) => x, { outAxes: null })([1]),
    "Cannot compute vmap as outAxes must be a number where the result depends on the rows",
  ],
  "values that are read": [
    () => vmap((x: Tensor) => x.item() > 0 ? x : x.neg())([1, -1]),
    "Cannot read the values of a tensor in the function of vmap, as it stands for all rows at once: " +
    "choose by where or cond instead of if",
  ],
};

for (const [what, [call, message]] of Object.entries(MESSAGES)) {
  Deno.test(`vmap() refuses ${what}`, () => {
    const error = assertThrows(call);
    assertEquals((error as Error).message.includes(message), true, (error as Error).message);
  });
}

Deno.test("vmap() refuses what has escaped from it, and programs inside of it", async () => {
  let kept: Tensor | undefined;
  vmap((x: Tensor) => kept = x)([1, 2]);
  assertThrows(() => kept!.add(1), TypeError, "escaped from the function of vmap, which has ended");
  await assertRejects(() => kept!.read(), TypeError, "Cannot read the values");
  await using program = await compile((x: Tensor) => x.mul(2), [tensor(1)]);
  let called: Promise<void> | undefined;
  const inside = (x: Tensor) => {
    const result = program(x);
    const message = "Cannot read the values of a tensor in the function of vmap";
    called = assertRejects(() => result, TypeError, message).then(() => {});
    return result;
  };
  assertThrows(() => vmap(inside)([1, 2]), TypeError, "the function's result must be a tensor");
  await called;
});

Deno.test("vmap() refuses a composite that closes over rows", () => {
  const layer = (x: Tensor) => checkpoint((w: Tensor) => w.mul(x))(tensor(2));
  assertThrows(() => vmap(layer)([1, 2]), TypeError, "is not among its arguments");
});

// ---- other transforms

const X = numbers([3, 4], 5);

Deno.test("vmap() may be nested, along different axes and inside of itself", () => {
  const [a, b] = [numbers([3, 5], 1), numbers([4, 5], 2)];
  const products = (f: (x: Tensor, y: Tensor) => Tensor) =>
    vmap((x: Tensor) => vmap((y: Tensor) => f(x, y))(b))(a);
  assertAllClose(products((x, y) => sum(x.mul(y))), a.matmul(b.transpose()), { rtol: 1e-14 });
  const columns = vmap(vmap((x: Tensor) => x.mul(x.sum())), { inAxes: 1, outAxes: 1 });
  assertEquals(columns(numbers([2, 3, 4])).shape, [2, 3, 4]);
  const bias = vmap((x: Tensor) => vmap((y: Tensor) => y.add(x.sum()))(x))(a);
  assertAllClose(bias, a.add(a.sum({ axis: 1, keepDims: true })), { rtol: 1e-14 });
});

const smooth = (x: Tensor) => sum(x.sin().mul(x.square())).add(x.slice(0, 2).sum().tanh());

const wide = (x: Tensor) => x.square().mul(x.sum().sin());

Deno.test("vmap() of gradients, Hessians, products and Jacobians is theirs of every row", () => {
  const v = numbers([3, 4], 6);
  const transforms: Record<string, (x: Tensor, v: Tensor) => Tensor> = {
    grad: (x) => grad(smooth)(x),
    "second grad": (x) => grad((y: Tensor) => sum(grad(smooth)(y).square()))(x),
    hessian: (x) => hessian(smooth)(x),
    hvp: (x, v) => hvp(smooth)(x, v),
    jvp: (x, v) => jvp(wide, [x], [v])[1],
    vjp: (x, v) => vjp(wide, x)[1](v)[0],
    linearize: (x, v) => linearize(wide, x)[1](v),
    jacobian: (x) => jacobian(wide)(x),
    "value and gradient": (x) => valueAndGrad(smooth)(x)[1],
  };
  for (const f of Object.values(transforms)) {
    const expected = stack(rowsOf(X).map((x, i) => f(x, gather(v, i))));
    assertAllClose(vmap(f)(X, v), expected, { rtol: 1e-12, atol: 1e-12 });
  }
});

Deno.test("gradients, Hessians and directions around vmap() are those of the sum over rows", () => {
  const total = (X: Tensor) => sum(vmap(smooth)(X));
  const rows = rowsOf(X);
  assertAllClose(grad(total)(X), stack(rows.map((x) => grad(smooth)(x))), { rtol: 1e-12 });
  const blocks = hessian(total)(X);
  rows.forEach((x, i) => {
    const own = gather(gather(blocks, i), i, { axis: 1 });
    assertAllClose(own, hessian(smooth)(x), { rtol: 1e-12, atol: 1e-12 });
  });
  assertAllClose(sum(blocks.square()), sum(vmap(hessian(smooth))(X).square()), { rtol: 1e-12 });
  const v = numbers([3, 4], 6);
  const [y, dy] = jvp((X: Tensor) => vmap(smooth)(X), [X], [v]);
  assertAllClose(y, stack(rows.map(smooth)), { rtol: 1e-12 });
  assertAllClose(dy, sum(vmap(grad(smooth))(X).mul(v), { axis: 1 }), { rtol: 1e-12 });
});

Deno.test("a gradient rule of one's own stays, under vmap() and around it", () => {
  const odd = customVjp({
    forward: (x, y) => x.mul(y),
    vjp: (g, _o, [x]) => [g.mul(10), x!.mul(g)],
  });
  const slopes = [f64([1, 2, 3, 4]), f64([5, 6, 7, 8])];
  const constant = customVjp({ forward: (x, y) => x.mul(y), vjp: () => slopes });
  for (const isMapped of [[true, true], [true, false], [false, true]]) {
    const rows = [rowsOf(X), rowsOf(numbers([3, 4], 7))];
    assertLaw({ f: (x, y) => odd(x, y), rows, isMapped });
    assertLaw({ f: (x, y) => constant(x, y), rows, isMapped });
  }
});

Deno.test("debugGradient() shows the gradient of each row, around vmap() that of all", () => {
  const seen: unknown[] = [];
  const report = (g: Tensor) => seen.push(g.toArray());
  const f = (x: Tensor) => sum(debugGradient(x, "x", { report }).square());
  vmap(grad(f))([[1, 2], [3, 4]]);
  grad((X: Tensor) => sum(vmap(f)(X)))([[1, 2], [3, 4]]);
  jacobian((x: Tensor) => debugGradient(x, "x", { report }))([1, 2]);
  assertEquals(seen, [[2, 4], [6, 8], [[2, 4], [6, 8]], [1, 0], [0, 1]]);
});

// ---- products

const MATRICES = [[2, 3, 4], [1, 3, 4], [2, 3, 1], [2, 1, 4], [1, 3, 1], [2, 0, 3], [0, 2, 3], [
  3,
  2,
  0,
], [
  3,
  3,
  3,
]];

Deno.test("vmap() of products: matrices as they lie and transposed, of one row and one column", () => {
  for (const [m, k, n] of MATRICES as [number, number, number][]) {
    for (const [left, right] of [[false, false], [true, false], [false, true], [true, true]]) {
      for (const outer of [[], [2]]) {
        const a = turns(numbers([...outer, ...left ? [k, m] : [m, k]], 1), 3);
        const b = turns(numbers(right ? [n, k] : [k, n], 2), 3);
        const f = (a: Tensor, b: Tensor) => apply(matmulOp, [a, b], { a: left!, b: right! });
        for (const isMapped of [[true, true], [true, false], [false, true]]) {
          assertLaw({ f, rows: [a, b], isMapped });
        }
      }
    }
  }
});

// ---- random numbers

Deno.test("vmap() over keys draws for each row what it draws by itself", () => {
  const keys = splitKey(key(1), 4);
  const walk = (k: Tensor) => {
    const [a, b] = splitKey(k, 2);
    return uniform(a!, [3]).mul(permutation(b!, 3));
  };
  assertEquals(vmap(walk)(stack(keys)), stack(keys.map(walk)));
  const noisy = (k: Tensor, x: Tensor) =>
    whileLoop(
      ([, y]: Tensor[]) => y!.less(3),
      ([k, y]: Tensor[]) => {
        const [next, own] = splitKey(k!, 2);
        return [next!, y!.add(uniform(own!, [], { dtype: "float64" }))];
      },
      [k, x],
    )[1]!;
  const starts = f64([0, 2, 1, 2.9]);
  const each = stack(keys.map((k, i) => noisy(k, gather(starts, i))));
  assertEquals(vmap(noisy)(stack(keys), starts), each);
});

Deno.test("vmap() with one key for all draws the same for all", () => {
  const f = (x: Tensor, k: Tensor) => x.add(uniform(k, [2]));
  const x = zeros([3, 2]);
  const own = uniform(key(2), [2]);
  assertEquals(vmap(f, { inAxes: [0, null] })(x, key(2)), stack([own, own, own]));
});

// ---- programs

Deno.test("vmap() in a program is recorded once, whatever the number of rows", async () => {
  const f = (X: Tensor) => vmap(grad(smooth))(X);
  const steps = async (rows: number) => {
    await using program = await compile(f, [numbers([rows, 4])]);
    assertAllClose(await program(numbers([rows, 4], 3)), f(numbers([rows, 4], 3)), { rtol: 1e-12 });
    return /\d+ steps/.exec(program.explain())![0];
  };
  assertEquals(await steps(3), await steps(300));
});

Deno.test("vmap() keeps where() and what it is closed over", () => {
  const [a, b] = [f64([1, 2, 3, 4]), f64(2)];
  const f = (x: Tensor) => where(x.greater(b), a, x);
  assertEquals(vmap(f)(X), stack(rowsOf(X).map(f)));
  const slope = grad((c: Tensor) => sum(vmap((x: Tensor) => x.mul(c))(X)));
  assertAllClose(slope(a), X.sum({ axis: 0 }), { rtol: 1e-14 });
});
