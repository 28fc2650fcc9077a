/** linearize, and Jacobians in one pass or in parts: directions, trees and messages. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  compile,
  eye,
  grad,
  hessian,
  jacobian,
  jvp,
  linearize,
  matmul,
  mul,
  normal,
  sum,
  type Tensor,
  tensor,
  vmap,
} from "../../mod.ts";
import { key } from "../../src/random.ts";
import { assertAllClose } from "../../src/testing.ts";

const numbers = (shape: number[], seed: number) => normal(key(seed), shape, { dtype: "float64" });
const wide = (x: Tensor) => x.sin().mul(x.square().sum());

Deno.test("linearize() gives the output, and jvp() for every direction after one run", () => {
  let runs = 0;
  const counted = (x: Tensor) => (runs++, wide(x));
  const x = numbers([4], 1);
  const [y, push] = linearize(counted, x);
  assertEquals(y, wide(x));
  for (const seed of [2, 3, 4]) {
    const v = numbers([4], seed);
    assertAllClose(push(v), jvp(wide, [x], [v])[1], { rtol: 1e-13 });
  }
  assertEquals(runs, 1);
});

Deno.test("linearize() takes one tangent for each argument, trees like it", () => {
  const f = ({ w }: { w: Tensor }, x: Tensor) => ({ y: mul(w, x), z: [w.add(x)] });
  const [y, push] = linearize(f, { w: tensor(2) }, tensor(3));
  assertEquals([y.y.item(), y.z[0]!.item()], [6, 5]);
  const dy = push({ w: 10 }, 1);
  assertEquals([dy.y.item(), dy.z[0]!.item()], [32, 11]);
});

Deno.test("directions under vmap() are the columns of the Jacobian, and may be differentiated", () => {
  const x = numbers([4], 1);
  const [, push] = linearize(wide, x);
  const columns = vmap(push, { outAxes: 1 })(eye(4, { dtype: "float64" }));
  assertAllClose(columns, jacobian(wide)(x), { rtol: 1e-12, atol: 1e-13 });
  const v = numbers([4], 2);
  const along = (x: Tensor) => sum(linearize(wide, x)[1](v).square());
  const twice = (x: Tensor) => sum(jvp(wide, [x], [v])[1].square());
  assertAllClose(grad(along)(x), grad(twice)(x), { rtol: 1e-12 });
  assertAllClose(grad((v: Tensor) => sum(push(v)))(v), sum(columns, { axis: 0 }), { rtol: 1e-12 });
});

Deno.test("linearize() in a program", async () => {
  const [x, v] = [numbers([4], 1), numbers([4], 2)];
  const f = (x: Tensor, v: Tensor) => linearize(wide, x)[1](v);
  await using program = await compile(f, [x, v]);
  assertAllClose(await program(x, v), f(x, v), { rtol: 1e-13 });
});

Deno.test("linearize() refuses what it does not understand", () => {
  const push = linearize(mul, [1, 2], [3, 4])[1] as (...tangents: unknown[]) => Tensor;
  const calls: [() => unknown, string][] = [
    [() => linearize(3 as never), "Cannot compute linearize as f must be a function"],
    [
      () => linearize(wide, tensor([1], { dtype: "int32" })),
      "Cannot compute linearize as argument 0 must be floating: current dtype is int32",
    ],
    [
      () => linearize((x: Tensor) => x.greater(0), [1]),
      "Cannot compute linearize as the function's result must be floating: current dtype is bool",
    ],
    [
      () => push([1, 2]),
      "Cannot compute linearize as the tangents must be an array of one direction per argument, 2",
    ],
    [
      () => push([1, 2], [1, 2], 7),
      "Cannot compute linearize as it takes nothing after the last tangent: current value is 7",
    ],
    [
      () => push([1, 2], [1, 2, 3]),
      "Cannot compute linearize as tangent 1 must have the shape [2]: current shape is [3]",
    ],
  ];
  for (const [call, message] of calls) assertThrows(call, TypeError, message);
});

Deno.test("jacobian() of very many entries is pulled back in parts", () => {
  const w = numbers([3000, 3], 5);
  const f = (x: Tensor) => matmul(w, x.square());
  const x = numbers([3], 6);
  assertAllClose(jacobian(f)(x), w.mul(x).mul(2), { rtol: 1e-13 });
});

Deno.test("jacobian() and hessian() run their function once, whatever the number of entries", () => {
  let runs = 0;
  const f = (x: Tensor) => (runs++, wide(x));
  jacobian(f)(numbers([50], 1));
  hessian((x: Tensor) => sum(f(x)))(numbers([50], 1));
  assertEquals(runs, 2);
});

Deno.test("the steps of jacobian() in a program do not grow with the entries", async () => {
  const steps = async (n: number) => {
    const x = numbers([n], 1);
    await using program = await compile((x: Tensor) => jacobian(wide)(x), [x]);
    assertAllClose(await program(x), jacobian(wide)(x), { rtol: 1e-12, atol: 1e-13 });
    return /\d+ steps/.exec(program.explain())![0];
  };
  assertEquals(await steps(5), await steps(60));
});
