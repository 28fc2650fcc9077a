/** Elementwise functions in one loop: the bits of their operations one by one, or those themselves. */
import { assertEquals } from "@std/assert";
import * as cg from "../../mod.ts";
import { fuseMaps } from "../../src/transforms/fuse_maps.ts";

type Tensor = cg.Tensor;
type Optimizer = ReturnType<typeof cg.adam>;

const OPTIMIZERS: Record<string, () => Optimizer> = {
  adam: () => cg.adam({ learningRate: 0.01 }),
  "adam on a schedule": () =>
    cg.adam({ learningRate: (step) => step.mul(-0.01).exp().mul(0.1), beta1: 0 }),
  adamw: () => cg.adamw({ learningRate: 0.1, weightDecay: 0.3, epsilon: 1e-3 }),
  sgd: () => cg.sgd({ learningRate: 0.1 }),
  "sgd with momentum": () => cg.sgd({ learningRate: 0.1, momentum: 0.9 }),
  "sgd with all": () =>
    cg.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.2 }),
};

/** Zeros of both signs, tiny and huge numbers, infinities and NaN among others. */
function numbers(seed: number, size: number, dtype: "float32" | "float64"): Tensor {
  const data = cg.normal(cg.key(seed), [size], { dtype }).data.slice();
  [0, -0, 1e-42, -3e-39, 1e30, -1e38, Infinity, -Infinity, NaN].forEach((x, i) => {
    data[(i * 1009 + seed * 7) % size] = x;
  });
  return cg.tensor(data);
}

/** Pieces that are too small for a loop of their own. */
const pieces = (x: Tensor) => cg.split(x, [2000, 3001, x.size - 5001]);

const bitsOf = (
  { data }: Tensor,
) => [...new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4)];

for (const dtype of ["float32", "float64"] as const) {
  for (const [name, make] of Object.entries(OPTIMIZERS)) {
    Deno.test(`${name} gives large parameters in ${dtype} the bits that it gives small ones`, () => {
      const size = 8192 + 13;
      const optimizer = make();
      let params = { w: numbers(1, size, dtype) };
      let state = optimizer.init(params);
      let parts = pieces(params.w);
      let partState = optimizer.init(parts);
      for (let i = 0; i < 4; i++) {
        const grad = numbers(2 + i, size, dtype);
        ({ params, state } = optimizer.update({ w: grad }, state, params));
        ({ params: parts, state: partState } = optimizer.update(pieces(grad), partState, parts));
        assertEquals(params.w.toString(), cg.concat(parts).toString());
        assertSameBits(params.w, cg.concat(parts));
        for (const [moment, { w }] of Object.entries(state.moments)) {
          assertSameBits(w, cg.concat(partState.moments[moment]!));
        }
      }
    });
  }
}

/** The same bits, where NaN is one value. */
function assertSameBits(actual: Tensor, expected: Tensor): void {
  assertEquals([actual.dtype, actual.shape], [expected.dtype, expected.shape]);
  const plain = (x: Tensor) => bitsOf(cg.where(cg.isNaN(x), 0, x));
  assertEquals(actual.isNaN().data, expected.isNaN().data);
  const [a, b] = [plain(actual), plain(expected)];
  assertEquals(a.findIndex((x, i) => x !== b[i]), -1);
}

Deno.test("updates of large parameters leave what they are given as it is", () => {
  const optimizer = cg.adam({ learningRate: 0.1 });
  const w = cg.ones([5000]);
  const state = optimizer.init(w);
  const first = optimizer.update(cg.ones([5000]), state, w);
  const again = optimizer.update(cg.ones([5000]), state, w);
  optimizer.update(cg.ones([5000]), first.state, first.params);
  assertEquals(first.params.data, again.params.data);
  assertEquals([w.data[4999], state.moments.first!.data[0]], [1, 0]);
});

Deno.test("updates of large parameters are differentiable", () => {
  const optimizer = cg.sgd({ learningRate: 0.5 });
  const w = cg.ones([5000]);
  const f = (g: Tensor) => optimizer.update(g, optimizer.init(w), w).params.sum();
  assertEquals(cg.grad(f)(w).data, cg.full([5000], -0.5).data);
});

/** How often a function runs that is given large tensors so many times. */
function runsOf(f: (tensors: readonly Tensor[]) => Tensor[], given: Tensor[][]): number {
  let runs = 0;
  const fused = fuseMaps("test", (tensors) => {
    runs++;
    return f(tensors);
  });
  for (const tensors of given) {
    const [found, expected] = [fused(tensors), f(tensors)];
    found.forEach((y, i) => assertSameBits(y, expected[i]!));
  }
  return runs;
}

Deno.test("fuseMaps() runs what it can fuse once for each type, and the rest each time", () => {
  const [large, other] = [numbers(1, 5000, "float32"), numbers(2, 7000, "float32")];
  const double = numbers(3, 5000, "float64");
  const sum = ([x, y]: readonly Tensor[]) => [x!.add(y!), x!.mul(2)];
  const rate = cg.tensor(3);
  assertEquals(runsOf(sum, [[large, large], [other, other], [large, rate], [other, rate]]), 2);
  assertEquals(runsOf(sum, [[double, double], [double, double]]), 1);
  assertEquals(runsOf(sum, [[large, double], [large, double]]), 2, "two types");
  const row = numbers(1, 5000, "float32").reshape([50, 100]);
  assertEquals(runsOf(sum, [[row, row.slice([0, 0], [1, 100])]]), 1, "broadcasting");
  // Recorded once, then done as they are.
  const sums = ([x]: readonly Tensor[]) => [x!.sub(x!.sum())];
  assertEquals(runsOf(sums, [[large], [large]]), 3, "a sum");
  assertEquals(runsOf(([x]) => [x!], [[large], [large]]), 3, "nothing");
  const small = [cg.ones([10]), cg.ones([10])];
  assertEquals(runsOf(sum, [small, small]), 2, "small ones");
});
