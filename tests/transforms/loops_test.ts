/** Loops: what unrolling gives, with gradients of two orders, eagerly and in programs; memory, messages. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  arange,
  compile,
  cond,
  forLoop,
  grad,
  hvp,
  jvp,
  scan,
  type ScanOptions,
  stack,
  stopGradient,
  type Tensor,
  tensor,
  where,
  whileLoop,
  type WhileLoopOptions,
  zeros,
} from "../../mod.ts";
import { CpuExecutable } from "../../src/backends/cpu/executable.ts";
import { optimize } from "../../src/program/optimize.ts";
import { record } from "../../src/program/record.ts";
import { loopIn } from "../../src/program/row_blocks.ts";
import { assertAllClose } from "../../src/testing.ts";

type Values = number | number[] | number[][] | number[][][];

const f64 = (data: Values) => tensor(data, { dtype: "float64" });
const bits = (xs: readonly Tensor[]) => xs.map(({ shape, data }) => [shape, data]);
const message = (f: () => unknown, kind: new () => Error = TypeError) =>
  assertThrows(f, kind).message;

/** A small recurrent network: the weights are closed over. */
const cell = (w: Tensor) => (h: Tensor, x: Tensor) => {
  const next = h.matmul(w).add(x).tanh();
  return [next, next.mul(x)] as const;
};

const W = f64([[0.3, -0.2], [0.5, 0.7]]);
const H = f64([[0.1, 0.4]]);
const rows = (n: number) =>
  n === 0
    ? zeros([0, 1, 2], { dtype: "float64" })
    : f64(Array.from({ length: n }, (_, i) => [[Math.sin(i + 1), Math.cos(i + 1)]]));

type Scan = typeof scan<Tensor, Tensor, Tensor>;

/** What scan does, one turn after the other. */
const unrolled = (f: Parameters<Scan>[0], init: Tensor, xs: Tensor, options: ScanOptions = {}) => {
  const order = Array.from({ length: xs.shape[0]! }, (_, i) => i);
  const ys: Tensor[] = [];
  let carry = init;
  for (const i of options.reverse ? order.toReversed() : order) {
    const [next, y] = f(carry, xs.slice(i, i + 1).reshape(xs.shape.slice(1)));
    carry = next;
    ys[i] = y;
  }
  return [carry, ys.length === 0 ? zeros(xs.shape, { dtype: "float64" }) : stack(ys)] as const;
};

/** A loss of all results, its gradients, and those of a function of its gradient. */
const orders =
  (run: typeof unrolled, options?: ScanOptions) => (w: Tensor, h: Tensor, xs: Tensor) => {
    const loss = (w: Tensor, h: Tensor, xs: Tensor) => {
      const [last, ys] = run(cell(w), h, xs, options);
      return last.square().sum().add(ys.square().sum());
    };
    const argnums = [0, 1, 2];
    const slope = (w: Tensor, h: Tensor, xs: Tensor) =>
      grad(loss, { argnums })(w, h, xs).map((g) => g.sin().sum()).reduce((a, b) => a.add(b));
    const first = grad(loss, { argnums })(w, h, xs);
    return [loss(w, h, xs), ...first, ...grad(slope, { argnums })(w, h, xs)];
  };

const looped = scan as unknown as typeof unrolled;

for (const length of [0, 1, 7]) {
  for (
    const options of [{}, { reverse: true }, { checkpoint: "sqrt" }, { checkpoint: 2 }, {
      reverse: true,
      checkpoint: 3,
    }] as const
  ) {
    const name = `scan() of ${length} rows with ${JSON.stringify(options)} equals unrolling`;
    Deno.test(`${name}, with gradients of two orders, eagerly and compiled`, async () => {
      const args = [W, H, rows(length)] as const;
      const expected = orders(unrolled, options)(...args);
      const eager = orders(looped, options)(...args);
      // To the bit, but for the order in which second derivatives and those of segments add up.
      const same = "checkpoint" in options ? 1 : 4;
      assertEquals(bits(eager.slice(0, same)), bits(expected.slice(0, same)));
      expected.forEach((x, i) => assertAllClose(eager[i]!, x, { rtol: 1e-13, atol: 1e-15 }));
      await using program = await compile(orders(looped, options), [...args]);
      assertEquals(bits(await program(...args)), bits(eager));
    });
  }
}

Deno.test("scan() takes trees, keys among them, and numbers its rows in any type", async () => {
  type Carry = { sum: Tensor; count: Tensor };
  const f = ({ sum, count }: Carry, [x, code]: [Tensor, Tensor]) =>
    [
      { sum: sum.add(x.mul(code.cast("float64"))), count: count.add(code) },
      { before: count, odd: code.equal(1), sum },
    ] as const;
  const run = (x: Tensor) =>
    scan(f, { sum: f64(0), count: tensor(2 ** 30 + 1, { dtype: "int32" }) }, [
      x,
      Int32Array.of(1, 3, 1),
    ]);
  const [{ sum, count }, ys] = run(f64([1, 2, 3]));
  assertEquals([sum.item(), count.item()], [10, 2 ** 30 + 6]);
  assertEquals(ys.before.toArray(), [2 ** 30 + 1, 2 ** 30 + 2, 2 ** 30 + 5]);
  assertEquals([ys.odd.toArray(), ys.sum.toArray()], [[true, false, true], [0, 1, 7]]);
  const slope = (x: Tensor) => grad((y: Tensor) => run(y)[0].sum)(x);
  assertEquals(slope(f64([1, 2, 3])).toArray(), [1, 3, 1]);
  await using program = await compile((x: Tensor) => [run(x), slope(x)], [f64([1, 2, 3])]);
  const found: unknown = await program(f64([1, 2, 3]));
  assertEquals(found, [[{ sum, count }, ys], slope(f64([1, 2, 3]))]);
});

Deno.test("carries may change places, stand still and be forgotten", async () => {
  type Carry = [Tensor, Tensor, Tensor, Tensor];
  const f = (x: Tensor) =>
    scan(
      ([a, b, c, d]: Carry, y: Tensor): [Carry, Tensor] => [[b, a, c, y], a.add(d)],
      [f64(1), f64(2), f64(3), f64(4)],
      x,
    );
  await using program = await compile(f, [f64([5, 6, 7])]);
  const [last, ys] = await program(f64([5, 6, 7]));
  assertEquals(last.map((x) => x.item()), [2, 1, 3, 7]);
  assertEquals(ys.toArray(), [5, 7, 7]);
  assertEquals([last, ys], f(f64([5, 6, 7])));
});

Deno.test("forLoop() passes the number of the turn, and may be nested", async () => {
  const inner = (x: Tensor, i: Tensor) =>
    forLoop(3, (y: Tensor, j: Tensor) => y.mul(x).add(i.add(j).cast("float64")), x);
  const f = (x: Tensor) => forLoop(2, (y: Tensor, i: Tensor) => inner(y.sin(), i), x);
  const plain = (x: Tensor) => {
    let y = x;
    for (let i = 0; i < 2; i++) {
      const factor = y.sin();
      y = factor;
      for (let j = 0; j < 3; j++) y = y.mul(factor).add(i + j);
    }
    return y;
  };
  const all = (g: typeof f) => (x: Tensor) => [g(x), grad(g)(x), grad(grad(g))(x)];
  const x = f64(0.7);
  all(plain)(x).forEach((y, i) => assertAllClose(all(f)(x)[i]!, y, { rtol: 1e-13 }));
  await using program = await compile(all(f), [x]);
  assertEquals(await program(x), all(f)(x));
});

Deno.test("loops under jvp and hvp, and grad inside of a loop", () => {
  const f = (x: Tensor) => forLoop(4, (y: Tensor) => y.sin().mul(x), x);
  const plain = (x: Tensor) => [1, 2, 3, 4].reduce((y) => y.sin().mul(x), x);
  const [x, v] = [f64([0.3, 0.9]), f64([1, -2])];
  const close = (a: Tensor, b: Tensor) => assertAllClose(a, b, { rtol: 1e-13 });
  close(jvp(f, [x], [v])[1], jvp(plain, [x], [v])[1]);
  close(hvp((y: Tensor) => f(y).sum())(x, v), hvp((y: Tensor) => plain(y).sum())(x, v));
  const descend = (y: Tensor) => y.sub(grad((z: Tensor) => z.square().square().sum())(y).mul(0.1));
  close(forLoop(3, descend, x), [1, 2, 3].reduce((y) => descend(y), x));
});

Deno.test("gradient rules of their own hold inside of loops", () => {
  const f = (x: Tensor) => forLoop(2, (y: Tensor) => y.logSoftmax({ axis: 0 }).mul(1e3), x);
  const gradient = grad((x: Tensor) => f(x).slice(0, 1).sum())(f64([1, 2]));
  assert(gradient.data.every(Number.isFinite));
});

Deno.test("whileLoop() goes on while its condition holds", async () => {
  const f = (x: Tensor, factor: Tensor, options?: WhileLoopOptions) =>
    whileLoop((y: Tensor) => y.lessEqual(100), (y: Tensor) => y.mul(factor), x, options);
  assertEquals(f(f64(1), f64(2)).item(), 128);
  assertEquals(f(f64(200), f64(2)).item(), 200);
  const slopes = grad((x: Tensor, y: Tensor) => f(x, y, { max: 10 }), { argnums: [0, 1] });
  assertEquals(slopes(f64(1), f64(2)).map((g) => g.item()), [128, 448]);
  await using program = await compile((x: Tensor, y: Tensor) => f(x, y), [f64(1), f64(2)]);
  for (const [x, y, z] of [[1, 2, 128], [200, 2, 200], [1, 11, 121]] as const) {
    assertEquals((await program(f64(x), f64(y))).item(), z);
  }
  await using back = await compile((x: Tensor, y: Tensor) => slopes(x, y), [f64(1), f64(2)]);
  assertEquals((await back(f64(1), f64(2))).map((g) => g.item()), [128, 448]);
});

Deno.test("whileLoop() is differentiated where another turn would have no value", async () => {
  const f = (x: Tensor) =>
    whileLoop((y: Tensor) => y.greater(0.5), (y: Tensor) => y.sub(0.4).log().add(1), x, { max: 9 });
  const plain = (x: Tensor) => {
    let y = x;
    while (y.item() > 0.5) y = y.sub(0.4).log().add(1);
    return y;
  };
  const all = (g: typeof f) => (x: Tensor) => [g(x), grad(g)(x), grad(grad(g))(x)];
  const x = f64(1.2);
  assertEquals(bits(all(f)(x)), bits(all(plain)(x)));
  await using program = await compile(all(f), [x]);
  assertEquals(bits(await program(x)), bits(all(f)(x)));
});

Deno.test("whileLoop() is not taken for its first turn, which begins with the same", () => {
  const squares = (x: Tensor) =>
    whileLoop(([i]: Tensor[]) => i!.less(2), ([i, y]: Tensor[]) => [i!.add(1), y!.mul(y!)], [
      tensor(0, { dtype: "int32" }),
      x,
    ], { max: 5 })[1]!;
  const f = (x: Tensor) =>
    forLoop(1, (y: Tensor) => cond(y.greater(0), squares, (z: Tensor) => z, y), x);
  assertEquals(grad(f)(f64(1.5)).item(), 4 * 1.5 ** 3);
});

Deno.test("whileLoop() without max may be done where nothing goes back over it", () => {
  const f = (x: Tensor) => whileLoop((y: Tensor) => y.less(9), (y: Tensor) => y.mul(2), x);
  assertEquals(grad((x: Tensor) => stopGradient(f(x)).mul(x))(f64(1)).item(), 16);
});

Deno.test("whileLoop() tells where its condition still holds after max turns", async () => {
  const f = (x: Tensor) =>
    whileLoop((y: Tensor) => y.less(9), (y: Tensor) => y.add(1), x, { max: 3 });
  const text = "Cannot compute whileLoop as cond must not hold after max turns: current value is 3";
  assertEquals(message(() => f(f64(1)), RangeError), text);
  await using program = await compile(f, [f64(7)]);
  assertEquals((await program(f64(7))).item(), 9);
  await assertRejects(() => program(f64(1)), RangeError, text);
});

Deno.test("a program has a loop's body once, whatever the length, and optimized", () => {
  const graphOf = (n: number) =>
    optimize(record([f64([1, 2])], ([x]) => [
      forLoop(n, (y: Tensor) => y.mul(x!.exp()).add(x!.exp()).add(0), x!),
    ]));
  const [short, long] = [graphOf(10), graphOf(10_000)];
  assertEquals(short.steps.map(({ op }) => op.name), long.steps.map(({ op }) => op.name));
  assertEquals(long.steps.filter(({ op }) => op.name === "exp").length, 1);
  const [loop] = long.steps.flatMap((step) => loopIn(step) ?? []);
  assertEquals(loop!.runs[0]!.body.steps.map(({ op }) => op.name), ["mul", "add", "add"]);
});

Deno.test("checkpoints of segments need about the square root of the memory", () => {
  const bytesOf = (checkpoint: "all" | "sqrt") => {
    const f = (y: Tensor) => y.sin().mul(0.5).exp();
    const loss = (x: Tensor) => forLoop(400, f, x, { checkpoint }).sum();
    const x = zeros([1000], { dtype: "float64" });
    return new CpuExecutable(optimize(record([x], ([y]) => [grad(loss)(y!)]))).memory.bytes;
  };
  const [all, sqrt] = [bytesOf("all"), bytesOf("sqrt")];
  assert(sqrt < all / 4, `${sqrt} of ${all} bytes`);
});

Deno.test("explain() shows what goes from turn to turn", async () => {
  await using program = await compile(
    (x: Tensor) => scan((s: Tensor, y: Tensor) => [s.add(y), s] as const, f64(0), x),
    [f64([1, 2, 3])],
  );
  assertMatch(
    program.explain(),
    /3 turns: .*float64\[\] from %\d+ on, %\d+ float64\[\] = rows of %/,
  );
});

Deno.test("loops say what they cannot do", async () => {
  const f = (x: Tensor) => x;
  assertEquals(
    message(() => forLoop(2, (x: Tensor) => x.sum(), f64([1, 2]))),
    "Cannot compute forLoop as f must keep the shapes and types of the carry: current values are " +
      "float64[2] and float64[]",
  );
  assertEquals(
    message(() => forLoop(2, (x: Tensor) => [x] as never, f64([1, 2]))),
    "Cannot compute forLoop as the trees must have the same branches: current values are 0 and [0]",
  );
  assertEquals(
    message(() => forLoop(2, (x: Tensor) => x.mul(x.item()), f64(1))),
    "Cannot read the values of a tensor in the function of forLoop, as it is recorded once for all " +
      "turns: choose by where or cond instead of if",
  );
  assertEquals(
    message(() => forLoop(1.5, f, f64(1)), RangeError),
    "Cannot compute forLoop as n must be a whole number at least 0: current value is 1.5",
  );
  assertEquals(
    message(() => forLoop(2, f, f64(1), { checkpoint: "some" as never })),
    'Cannot compute forLoop as checkpoint must be "all", "sqrt" or a number of turns: current ' +
      'value is "some"',
  );
  assertEquals(
    message(() => scan((x: Tensor) => x as never, f64(1), [1])),
    "Cannot compute scan as f must return [carry, y]: current value is a Tensor",
  );
  assertEquals(
    message(() => scan((x: Tensor) => [x, x] as const, f64(1), null)),
    "Cannot compute scan as it needs xs, or length where xs is null: there is neither",
  );
  assertEquals(
    message(() =>
      scan((x: Tensor, _: [Tensor, Tensor]) => [x, x] as const, f64(1), [f64([1, 2]), 3])
    ),
    "Cannot compute scan as xs must hold tensors with equally many rows: current shapes are [2] " +
      "and []",
  );
  assertEquals(
    message(() => whileLoop((x: Tensor) => x, f, f64(1))),
    "Cannot compute whileLoop as cond must be one bool: current value is float64[]",
  );
  assertEquals(
    message(() => grad((x: Tensor) => whileLoop((y: Tensor) => y.less(9), (y) => y.mul(2), x))(1)),
    "Cannot compute the gradient of whileLoop as a carry is kept for every turn: pass max, the most " +
      "turns that there can be",
  );
  let escaped: Tensor | undefined;
  forLoop(1, (x: Tensor) => (escaped = x, x), f64(1));
  assertEquals(
    message(() => escaped!.add(1)),
    "Cannot compute add as an input escaped from the function of forLoop, which has ended: return " +
      "it from the function",
  );
  await assertRejects(() =>
    compile((x: Tensor) => forLoop(2, (y: Tensor) => where(y.item() > 1, y, y), x), [1])
  );
});

Deno.test("large carries change places with what they become, whoever reads them", async () => {
  const x = f64(Array.from({ length: 700 }, (_, i) => Math.sin(i)));
  type Carry = [Tensor, Tensor, Tensor];
  const turn = ([a, b, c]: Carry, i: Tensor): [Carry, Tensor] => {
    const next = a.add(b.mul(c.sum())).add(i.cast("float64"));
    return [[b, next, next.reshape([7, 100]).sum({ axis: 1 })], a.slice(0, 3)];
  };
  for (const length of [1, 2, 5]) {
    const f = (y: Tensor) =>
      scan(turn, [y, y.mul(0.1), y.slice(0, 7)], arange(length, { dtype: "int32" }));
    const both = (y: Tensor) => [f(y), grad((z: Tensor) => f(z)[0][1].sin().sum())(y)] as const;
    const end = (y: Tensor) =>
      whileLoop(([s]: Tensor[]) => s!.less(length), ([s, z]: Tensor[]) => [s!.add(1), z!.cos()], [
        0,
        y,
      ]);
    await using program = await compile((y: Tensor) => [both(y), end(y)], [x]);
    const found: unknown = await program(x);
    assertEquals(found, [both(x), end(x)]);
  }
});
