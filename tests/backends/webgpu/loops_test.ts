/** Loops on a WebGPU device: the values of eager ones, one submission where the length is known. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  compile,
  cond,
  fixedPoint,
  forLoop,
  grad,
  hvp,
  scan,
  type Tensor,
  tensor,
  treeLeaves,
  whileLoop,
} from "../../../mod.ts";
import { assertAllClose } from "../../../src/testing.ts";
import { gpuTest, readAll } from "./gpu.ts";

const W = tensor([[0.3, -0.2], [0.5, 0.7]]);
const H = tensor([[0.1, 0.4]]);
const X = tensor(Array.from({ length: 7 }, (_, i) => [[Math.sin(i), Math.cos(i)]]));

gpuTest("scan() has the values and gradients of the eager one, in one submission", async (gpu) => {
  for (const options of [{}, { reverse: true }, { checkpoint: 2 }]) {
    const loss = (w: Tensor, h: Tensor, xs: Tensor) => {
      const cell = (state: Tensor, x: Tensor) => {
        const next = state.matmul(w).add(x).tanh();
        return [next, next.mul(x)] as const;
      };
      const [last, ys] = scan(cell, h, xs, options);
      return last.square().sum().add(ys.square().sum());
    };
    const second = (w: Tensor) => grad(loss)(w, H, X).sin().sum();
    const f = (w: Tensor, h: Tensor, xs: Tensor) => [
      loss(w, h, xs),
      ...grad(loss, { argnums: [0, 1, 2] })(w, h, xs),
      grad(second)(w),
    ];
    await using program = await compile(f, [W, H, X], { device: gpu });
    const { submissions } = gpu.counters;
    const found = await program(W, H, X);
    assertEquals(gpu.counters.submissions, submissions + 1);
    const values = await readAll(found);
    f(W, H, X).forEach((x, i) => assertAllClose(values[i]!, x, { rtol: 1e-4, atol: 1e-5 }));
  }
});

gpuTest("loops carry trees of any types, swapped too, on the device", async (gpu) => {
  type Carry = [Tensor, Tensor, Tensor];
  const f = (x: Tensor) =>
    scan(
      ([a, b, n]: Carry, y: Tensor): [Carry, Tensor[]] => [[b, a.add(y), n.add(3)], [a, n]],
      [1, 2, tensor(2 ** 30 + 1, { dtype: "int32" })],
      x,
    );
  await using program = await compile(f, [tensor([5, 6, 7])], { device: gpu });
  const found = await readAll(treeLeaves(await program(tensor([5, 6, 7]))));
  assertEquals(found, treeLeaves(f(tensor([5, 6, 7]))));
});

gpuTest("whileLoop() ends on the device, and says where it does not", async (gpu) => {
  const f = (x: Tensor) =>
    whileLoop((y: Tensor) => y.less(100), (y: Tensor) => y.add(1), x, { max: 90 });
  await using program = await compile(f, [tensor(1)], { device: gpu });
  for (const [x, y] of [[150, 150], [99.5, 100.5], [90, 100], [50, 100], [10, 100]] as const) {
    assertEquals((await readAll([await program(tensor(x))]))[0]!.item(), y);
  }
  assertStringIncludes(program.explain(), "at most 90 turns, while %");
  const result = await program(tensor(1));
  const text =
    "Cannot compute whileLoop as cond must not hold after max turns: current value is 90";
  const error = await assertRejects(() => result.read(), RangeError);
  assertEquals(error.message, text);
});

gpuTest("whileLoop() stops long before the most turns", async (gpu) => {
  const f = (x: Tensor) => whileLoop((y: Tensor) => y.less(100), (y: Tensor) => y.mul(2), x);
  await using program = await compile(f, [tensor(1)], { device: gpu });
  assertEquals((await readAll([await program(tensor(1))]))[0]!.item(), 128);
  const slope = grad((x: Tensor) =>
    whileLoop((y: Tensor) => y.less(100), (y: Tensor) => y.mul(2), x, { max: 20 })
  );
  await using back = await compile((x: Tensor) => slope(x), [tensor(1)], { device: gpu });
  assertEquals((await readAll([await back(tensor(1))]))[0]!.item(), 128);
});

gpuTest("what is not allowed is told of no turn that is not done", async (gpu) => {
  const x = tensor([5, 6, 7]);
  const at = (i: Tensor) => x.gather(i.cast("int32"), { axis: 0 });
  const sum = (i: Tensor) => {
    const next = ([i, s]: [Tensor, Tensor]): [Tensor, Tensor] => [i.add(1), s.add(at(i))];
    return whileLoop(([i]: [Tensor, Tensor]) => i.less(3), next, [i, tensor(0)], { max: 9 })[1]!;
  };
  const few = (i: Tensor) => cond(i.less(3), () => forLoop(2, () => at(i), tensor(0)), () => i);
  const rarely = (i: Tensor) => cond(i.less(3), () => sum(i), () => at(i.sub(3)));
  const f = (i: Tensor) => [sum(i), few(i), rarely(i), grad((y: Tensor) => few(y).mul(y))(i)];
  await using program = await compile(f, [tensor(0)], { device: gpu });
  for (const i of [tensor(0), tensor(2), tensor(4)]) {
    assertEquals(await readAll(await program(i)), f(i));
  }
  const below = await program(tensor(-1));
  await assertRejects(() => readAll(below), RangeError, "indices must be in [0, 2]");
});

gpuTest("nested loops run on the device", async (gpu) => {
  const f = (x: Tensor) =>
    forLoop(
      3,
      (y: Tensor, i: Tensor) =>
        forLoop(4, (z: Tensor, j: Tensor) => z.mul(0.5).add(i.add(j).cast("float32")), y),
      x,
    );
  await using program = await compile(f, [X], { device: gpu });
  const [found] = await readAll([await program(X)]);
  assertAllClose(found!, f(X), { rtol: 1e-6 });
  assert(found!.size === X.size);
});

gpuTest("fixedPoint() and cond() have the values and gradients of eager ones", async (gpu) => {
  const root = (a: Tensor) => fixedPoint((x: Tensor) => x.add(a.div(x)).div(2), a);
  const choose = (x: Tensor) =>
    cond(x.sum().greater(0), (y: Tensor) => y.log(), (y: Tensor) => y.neg().sqrt(), x);
  const f = (x: Tensor, a: Tensor) => [
    choose(x),
    grad((y: Tensor) => choose(y).sum())(x),
    root(a),
    grad((b: Tensor) => root(b).sum())(a),
  ];
  await using program = await compile(f, [tensor([1, 2]), tensor([4, 9])], { device: gpu });
  for (const x of [tensor([1, 2]), tensor([-1, -4])]) {
    const found = await readAll(await program(x, tensor([4, 9])));
    f(x, tensor([4, 9])).forEach((y, i) =>
      assertAllClose(found[i]!, y, { rtol: 1e-4, atol: 1e-6 })
    );
  }
});

gpuTest(
  "choices in loops have second derivatives on the device, in one submission",
  async (gpu) => {
    const f = (x: Tensor) =>
      forLoop(3, (y: Tensor, i: Tensor) =>
        cond(
          y.sum().greater(i.cast("float32")),
          (z: Tensor, v: Tensor) => z.mul(v).sub(2),
          (z: Tensor, v: Tensor) => z.square().add(v.mul(z)),
          y,
          x,
        ), x).sum();
    const both = (x: Tensor) => [f(x), grad(f)(x), hvp(f)(x, [1, -1])];
    await using program = await compile(both, [tensor([1, 2])], { device: gpu });
    const { submissions } = gpu.counters;
    for (const x of [tensor([1, 2]), tensor([-0.5, 0.25])]) {
      const found = await readAll(await program(x));
      both(x).forEach((y, i) => assertAllClose(found[i]!, y, { rtol: 1e-4 }));
    }
    assert(gpu.counters.submissions - submissions <= 4);
  },
);
