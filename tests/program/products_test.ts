/** Products whose matrices lie in views, or come to lie there: nothing is copied, and the bits stay. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { multiHeadAttention } from "../../src/nn/mod.ts";
import { matmul } from "../../kernels/matmul/reference.ts";
import { CpuExecutable } from "../../src/backends/cpu/executable.ts";
import { Team } from "../../src/backends/cpu/threads.ts";
import { optimize } from "../../src/program/optimize.ts";
import { isGroup } from "../../src/program/passes/fuse.ts";
import { record } from "../../src/program/record.ts";
import { assertAllClose } from "../../src/testing.ts";
import { assertLikeEager, gpuTest } from "../backends/webgpu/gpu.ts";

type Tensor = cg.Tensor;
type Program = (...xs: Tensor[]) => Tensor[];

const graphOf = (f: Program, xs: readonly Tensor[]) => optimize(record(xs, (args) => f(...args)));

/** What is done to matrices but for loops, products, and naming them. */
function copiesOf(f: Program, ...xs: Tensor[]): string[] {
  const { graph, units } = new CpuExecutable(graphOf(f, xs));
  return units.flatMap((unit) => {
    const isOther = isGroup(unit) || ["matmul", "reshape"].includes(unit.op.name);
    return isOther || graph.values[unit.output]!.shape.length < 2 ? [] : [unit.op.name];
  });
}

const numbers = (...shape: number[]) =>
  cg.normal(cg.key(shape.length), shape, { dtype: "float64" });

Deno.test("transposes, slices and repeats around a product are never copied", () => {
  const [x, y] = [numbers(6, 5), numbers(6, 7)];
  const gradient = (f: (x: Tensor, y: Tensor) => Tensor): Program => (x, y) =>
    cg.grad((x: Tensor, y: Tensor) => f(x, y).square().sum(), { argnums: [0, 1] })(x!, y!);
  assertEquals(copiesOf(gradient((x, y) => x.transpose().matmul(y)), x, y), []);
  assertEquals(copiesOf(gradient((x, y) => cg.matmul(y.transpose(), x).transpose()), x, y), []);
  assertEquals(copiesOf((x, y) => [x!.slice([2, 1]).transpose().matmul(y!.slice(2))], x, y), []);
  assertEquals(copiesOf((x) => [cg.broadcastTo(x!, [3, 6, 5]).matmul(x!.transpose())], x), []);
});

Deno.test("attention copies nothing, in either direction", () => {
  const attend = (x: Tensor, weight: Tensor, bias: Tensor) => {
    const params = { in_proj_weight: weight, in_proj_bias: bias, out_proj: { weight } };
    return multiHeadAttention({ ...params, out_proj: { weight: weight.slice(0, 8) } }, x, x, x, {
      heads: 2,
    }).square().mean();
  };
  const f: Program = (x, weight, bias) =>
    cg.grad(attend, { argnums: [0, 1, 2] })(x!, weight!, bias!);
  const copies = copiesOf(f, numbers(3, 4, 8), numbers(24, 8), numbers(24));
  // What slices of the weights make is put where it belongs.
  assertEquals(copies.filter((name) => name !== "pad"), []);
});

/** The rows, terms and columns of the products of a program, and how many there are of each. */
function productsOf(f: Program, ...xs: Tensor[]): string[] {
  const { graph, units } = new CpuExecutable(graphOf(f, xs));
  return units.flatMap((unit) => {
    if (isGroup(unit)) return ["loop"];
    if (unit.op.kind !== "product") return [unit.op.name];
    const shapes = unit.inputs.map((id) => graph.values[id]!.shape);
    const { outer, m, k, n } = unit.op.layout(shapes, unit.params);
    return [`${[...outer, ""].join(" of ")}${m}x${k}x${n}`];
  });
}

Deno.test("a stack times one matrix is one product, and so is the gradient of the matrix", () => {
  const [x, w] = [numbers(3, 4, 5, 6), numbers(6, 7)];
  const stack = (x: Tensor, w: Tensor) => x.matmul(cg.broadcastTo(w, [3, 4, 6, 7]));
  assertEquals(productsOf((x, w) => [stack(x!, w!)], x, w), ["60x6x7"]);
  const gradients: Program = (x, w) => {
    const [y, pull] = cg.vjp(stack, x!, w!);
    return pull(y);
  };
  assertEquals(productsOf(gradients, x, w), ["60x6x7", "60x7x6", "6x60x7"]);
  const found = new CpuExecutable(graphOf(gradients, [x, w])).run([x, w]);
  gradients(x, w).forEach((y, i) => assertAllClose(found[i]!, y, { rtol: 1e-12, atol: 1e-12 }));
});

Deno.test("products that others read stay, and sums are those of products", () => {
  const [x, y] = [numbers(3, 4, 5), numbers(3, 5, 6)];
  const programs: Program[] = [
    (x, y) => {
      const product = x!.matmul(y!);
      return [product.transpose([2, 0, 1]).reshape([6, -1]), product.sum({ axis: 2 })];
    },
    (x, y) => {
      const product = x!.reshape([4, 3, 5]).transpose([1, 0, 2]).matmul(y!);
      return [product.sum({ axis: 0 }), product.exp()];
    },
    (x, y) => [x!.matmul(y!).sum({ axis: 2 })],
    (x, y) => {
      const stack = cg.broadcastTo(y!.slice(0, 1), [3, 5, 6]);
      return [x!.slice([0, 0], [3, 1]).matmul(stack).sum({ axis: 0 })];
    },
  ];
  for (const f of programs) {
    const found = new CpuExecutable(graphOf(f, [x, y])).run([x, y]);
    f(x, y).forEach((z, i) => assertAllClose(found[i]!, z, { rtol: 1e-12, atol: 1e-12 }));
  }
});

/** A tensor of a shape that is a view: turned, cut, by steps, backwards, or merged from more axes. */
interface Viewed {
  base: Tensor;
  view: (base: Tensor) => Tensor;
}

const viewed = (shape: readonly number[]): fc.Arbitrary<Viewed> =>
  fc.record({
    order: fc.shuffledSubarray(shape.map((_, i) => i), { minLength: shape.length }),
    margin: fc.tuple(...shape.map(() => fc.nat(2))),
    first: fc.tuple(...shape.map(() => fc.nat(2))),
    repeats: fc.boolean(),
    merges: fc.boolean(),
    steps: fc.tuple(...shape.map(() => fc.constantFrom(1, 1, 1, 2, 3))),
    back: fc.subarray(shape.map((_, i) => i)),
  }).map(({ order, margin, first, repeats, merges, steps, back: backwards }) => {
    const starts = first.map((at, i) => Math.min(at, margin[i]!));
    const own = shape.map((extent, i) => repeats && i === 0 ? 1 : extent * steps[i]! + margin[i]!);
    const turned = order.map((axis) => own[axis]!);
    const base = numbers(...merges ? [turned.reduce((a, b) => a * b, 1)] : turned);
    return {
      base,
      view: (x) => {
        const back = order.map((_, i) => order.indexOf(i));
        const whole = x.reshape(turned).transpose(back);
        const at = repeats ? [0, ...starts.slice(1)] : starts;
        const ends = shape.map((extent, i) => repeats && i === 0 ? 1 : at[i]! + extent * steps[i]!);
        const cut = cg.flip(whole.slice(at, ends, { step: steps }), { axis: backwards });
        return cg.broadcastTo(cut, shape);
      },
    };
  });

interface Drawn {
  a: Viewed;
  b: Viewed;
  /** How the product is turned, and which axis then becomes one with the next. */
  order: number[];
  merged: number;
  then: (y: Tensor) => Tensor[];
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  outer: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
  m: fc.integer({ min: 1, max: 7 }),
  k: fc.integer({ min: 0, max: 6 }),
  n: fc.integer({ min: 1, max: 7 }),
  dropped: fc.nat(2),
}).chain(({ outer, m, k, n, dropped }) => {
  const axes = [...outer.keys(), outer.length, outer.length + 1];
  return fc.record({
    a: viewed([...outer, m, k]),
    b: viewed([...outer.slice(dropped), k, n]),
    order: fc.shuffledSubarray(axes, { minLength: axes.length }),
    merged: fc.nat(outer.length),
    then: fc.constantFrom<Drawn["then"][]>(
      (y) => [y],
      (y) => [cg.flip(y)],
      (y) => [y.exp(), y.sum({ axis: 0 })],
      (y) => [y.reshape([y.shape[0]!, -1]).matmul(y.reshape([-1, y.shape[0]!]))],
    ),
  });
});

/** Views, their product, a view of it, and what follows. */
function programOf({ a, b, order, merged, then }: Drawn): Program {
  return (x, y) => {
    const turned = cg.matmul(a.view(x!), b.view(y!)).transpose(order);
    const together = turned.shape.slice(merged, merged + 2).reduce((p, q) => p * q);
    return then(turned.reshape(turned.shape.toSpliced(merged, 2, together)));
  };
}

Deno.test("products of views have the bits of products of copies", async () => {
  const team = new Team(2);
  try {
    await fc.assert(
      fc.asyncProperty(drawn, async (drawn) => {
        const f = programOf(drawn);
        const xs = [drawn.a.base, drawn.b.base];
        const expected = f(...xs);
        for (const options of [{}, { wasm: false }, { team, smallestShared: 0 }]) {
          const program = new CpuExecutable(graphOf(f, xs), options);
          await team.ready();
          assertEquals(program.run(xs), expected);
          program.dispose();
        }
      }),
      { numRuns: 300 },
    );
  } finally {
    team.dispose(new Error("the test has ended"));
  }
});

gpuTest("products of views are those of copies on the device", async (gpu) => {
  for (const one of fc.sample(drawn, { seed: 3, numRuns: 25 })) {
    await assertLikeEager(gpu, programOf(one), [one.a.base, one.b.base], {
      rtol: 1e-5,
      atol: 1e-5,
    });
  }
});

Deno.test("products with one column have the bits of the reference, wherever they lie", async () => {
  for (const [m, k] of [[1, 5], [2, 1], [7, 300], [300, 7], [33, 0]] as const) {
    const [x, v] = [numbers(m, k), numbers(k, 1)];
    const [y, w] = [numbers(k, m), numbers(1, k)];
    const stack = numbers(3, m, k);
    const f: Program = (x, v, y, w, stack) => [
      x!.matmul(v!),
      y!.transpose().matmul(w!.transpose()),
      stack!.matmul(v!),
      stack!.transpose([1, 0, 2]).matmul(v!).sum({ axis: 1 }),
    ];
    await using program = await cg.compile(f, [x, v, y, w, stack]);
    const expected = new Float64Array(m);
    const left = { data: x.data as Float64Array, offset: 0, rowStride: k, columnStride: 1 };
    const right = { data: v.data as Float64Array, offset: 0, rowStride: 1, columnStride: 1 };
    matmul(expected, 0, left, right, m, k, 1);
    const results = await program(x, v, y, w, stack);
    assertEquals(results[0]!.data, expected);
    for (const [i, eager] of f(x, v, y, w, stack).entries()) {
      if (i < 3) assertEquals(results[i]!.data, eager.data);
      else assertAllClose(results[i]!, eager, { rtol: 1e-12 });
    }
  }
});
