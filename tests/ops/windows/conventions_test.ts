/** What windows, convolutions, pools and resized images do at borders, ties and extremes. */
import { assert, assertEquals } from "@std/assert";
import * as cg from "../../../mod.ts";
import { assertAllClose } from "../../../src/testing.ts";
import { gpuTest } from "../../backends/webgpu/gpu.ts";

type Tensor = cg.Tensor;

const waves = (shape: number[], dtype: cg.DType = "float32") =>
  cg.arange(shape.reduce((a, b) => a * b, 1), { dtype: "float64" }).mul(0.7).sin().cast(dtype)
    .reshape(shape);

Deno.test("slidingWindow() keeps integers and booleans, and adds gradients up where windows meet", () => {
  const labels = cg.tensor([1, 2, 3], { dtype: "int32" });
  assertEquals(cg.slidingWindow(labels, { size: 2 }).dtype, "int32");
  assertEquals(cg.slidingWindow([true, false], { size: 1 }).toArray(), [[true], [false]]);
  const slope = cg.grad((x: Tensor) => cg.slidingWindow(x, { size: 3, dilation: 2 }).sum());
  assertEquals(slope(cg.zeros([8])).toArray(), [1, 1, 2, 2, 2, 2, 1, 1]);
  const apart = cg.grad((x: Tensor) => cg.slidingWindow(x, { size: 2, stride: 3 }).sum());
  assertEquals(apart(cg.zeros([7])).toArray(), [1, 1, 0, 1, 1, 0, 0]);
});

Deno.test("slidingWindow() by one number slides over all axes that are named", () => {
  const x = cg.arange(12).reshape([3, 4]);
  assertEquals(cg.slidingWindow(x, { size: 2, axes: [1, 0] }).shape, [2, 3, 2, 2]);
  const [first] = cg.slidingWindow(x, { size: [1, 2], axes: [1, 0] }).toArray() as number[][][][];
  assertEquals(first![1], [[1, 5]]);
});

Deno.test("conv() pads an odd number of zeros once more behind where padding is same", () => {
  assertEquals(cg.conv([[[1, 2, 3]]], [[[1, 10]]], { padding: "same" }).toArray(), [[[21, 32, 3]]]);
  const strided = cg.conv([[[1, 2, 3, 4]]], [[[1, 1, 1]]], { padding: "same", stride: 2 });
  assertEquals(strided.toArray(), [[[6, 7]]]);
  const back = cg.conv([[[1, 1]]], [[[1, 2, 3]]], { padding: "same", stride: 2, transposed: true });
  assertEquals(back.toArray(), [[[1, 2, 4, 2]]]);
});

Deno.test("conv() and its transposed form are adjoint, whatever the options", () => {
  for (const stride of [1, 2, 3]) {
    for (const padding of ["same", "valid", 2] as const) {
      const options = { stride, padding, dilation: 2, groups: 2 };
      const [w, x] = [waves([4, 3, 2, 3], "float64"), waves([2, 6, 12, 12], "float64")];
      const y = cg.conv(x, w, options);
      const g = waves([...y.shape], "float64").cos();
      const pulled = cg.grad((x: Tensor) => cg.conv(x, w, options).mul(g).sum())(x);
      const back = cg.conv(g, w, { ...options, transposed: true });
      const shared = back.shape.slice(2).map((n, i) => Math.min(n, x.shape[i + 2]!));
      const cut = (z: Tensor) => cg.slice(z, [0, 0, 0, 0], [2, 6, ...shared]);
      assertAllClose(cut(pulled), cut(back), { rtol: 1e-12, atol: 1e-12 });
    }
  }
});

Deno.test("conv() spreads NaN over the windows that hold it, and over their kernel places", () => {
  const x = cg.tensor([[[NaN, 1, 2, 3, Infinity]]], { dtype: "float64" });
  const w = cg.tensor([[[1, 2]]], { dtype: "float64" });
  assertEquals(cg.conv(x, w).toArray(), [[[NaN, 5, 8, Infinity]]]);
  const image = cg.zeros([1, 1, 4, 4]).add(
    cg.tensor([NaN, 0, 0, 0]).reshape(1, 1, 4, 1).mul([1, 0, 0, 0]),
  );
  const spoiled = cg.conv(cg.where(cg.isNaN(image), NaN, 0), cg.ones([1, 1, 2, 2]));
  const marked = cg.isNaN(spoiled).toArray() as boolean[][][][];
  assert(marked[0]![0]!.some((row) => row.includes(true)));
  assertEquals(cg.conv(cg.ones([1, 1, 3, 3]), cg.full([1, 1, 2, 2], NaN)).toArray().flat(4), [
    ...[NaN, NaN, NaN, NaN],
  ]);
});

Deno.test("conv() gives for each window the bits that it has without what is outside", async () => {
  const [image, w] = [cg.normal(cg.key(3), [1, 3, 9, 8]), cg.normal(cg.key(4), [4, 3, 3, 3])];
  const f = (x: cg.Tensor) => cg.conv(x, w, { padding: "same" });
  await using program = await cg.compile(f, [image]);
  for (const [row, column] of [[0, 0], [4, 3], [8, 7], [5, 7]] as const) {
    for (const spoiled of [NaN, Infinity, 1e30]) {
      const x = image.add(0);
      for (let c = 0; c < 3; c++) x.data[(c * 9 + row) * 8 + column] = spoiled;
      for (const [before, after] of [[f(image), f(x)], [await program(image), await program(x)]]) {
        const isOutside = (i: number) =>
          Math.abs(Math.floor(i / 8) % 9 - row) > 1 || Math.abs(i % 8 - column) > 1;
        after!.data.forEach((value, i) => {
          if (isOutside(i)) assertEquals(value, before!.data[i]);
          else assert(!(Math.abs(value) < 1e10), `${value} at ${i}`);
        });
      }
    }
  }
});

Deno.test("conv() is in the stronger of the types, and of integers in float32", () => {
  const whole = cg.tensor([[[1, 2, 3]]], { dtype: "int32" });
  assertEquals(cg.conv(whole, [[[1, 1]]]).dtype, "float32");
  assertEquals(cg.conv(whole, cg.ones([1, 1, 2], { dtype: "float64" })).dtype, "float64");
});

Deno.test("maxPool() shares the gradient among ties, and never gives it to the padding", () => {
  const slope = cg.grad((x: Tensor) => cg.maxPool(x, 2).sum());
  assertEquals(slope(cg.tensor([[[1, 1, 0, 2]]])).toArray(), [[[0.5, 0.5, 0, 1]]]);
  const low = cg.maxPool(cg.full([1, 1, 3], -5), 3, { stride: 1, padding: 1 });
  assertEquals(low.toArray(), [[[-5, -5, -5]]]);
  assertEquals(cg.maxPool([[[NaN, 1, 2, 3]]], 2).toArray(), [[[NaN, 3]]]);
});

Deno.test("maxPool() of integers stays among them, with padding as well", () => {
  const whole = cg.maxPool(cg.tensor([[[-5, -7]]], { dtype: "int32" }), 2, { padding: 1 });
  assertEquals([whole.dtype, whole.toArray()], ["int32", [[[-5, -7]]]]);
});

Deno.test("resize() does not let a neighbour spoil what it takes nothing of", () => {
  const x = [[[1, Infinity, 3]]];
  assertEquals(cg.resize(x, 1, { mode: "linear" }).toArray(), [[[Infinity]]]);
  assertEquals(cg.resize([[[1, 2, Infinity, 4, 5, 6]]], 2, { mode: "linear" }).toArray(), [
    [[2, 5]],
  ]);
  const labels = cg.tensor([[[1, 2]]], { dtype: "int32" });
  assertEquals(cg.resize(labels, 3).dtype, "int32");
  assertEquals(cg.resize(labels, 3, { mode: "linear" }).dtype, "float32");
});

/** Large enough for WebAssembly and several threads; float64 gives the reference. */
const LARGE = { x: [3, 10, 33, 37], w: [12, 5, 3, 3] };

for (const stride of [1, 2]) {
  const f = (x: Tensor, w: Tensor) => {
    const loss = (x: Tensor, w: Tensor) =>
      cg.conv(x, w, { groups: 2, stride, padding: 1 }).square().sum();
    return [
      cg.conv(x, w, { groups: 2, stride, padding: 1 }),
      ...cg.grad(loss, { argnums: [0, 1] })(x, w),
    ];
  };
  const inputs = (dtype: cg.DType) =>
    [waves(LARGE.x, dtype), waves(LARGE.w, dtype)] as [Tensor, Tensor];

  Deno.test(`conv() of large images with stride ${stride} is the same eagerly and in programs`, async () => {
    const expected = f(...inputs("float64"));
    const close = { rtol: 1e-4, atol: 2e-3 };
    f(...inputs("float32")).forEach((x, i) => assertAllClose(x, expected[i]!, close));
    const found: Tensor[][] = [];
    for (const threads of [1, 2]) {
      await using program = await cg.compile(f, inputs("float32"), { threads });
      found.push(await program(...inputs("float32")) as Tensor[]);
      found.at(-1)!.forEach((x, i) => assertAllClose(x, expected[i]!, close));
    }
    assertEquals(found[0]!.map((x) => x.data), found[1]!.map((x) => x.data));
  });

  gpuTest(`conv() of large images with stride ${stride} is the same on a device`, async (gpu) => {
    const expected = f(...inputs("float64"));
    await using program = await cg.compile(f, inputs("float32"), { device: gpu });
    const found = await program(...inputs("float32")) as Tensor[];
    for (const [i, x] of found.entries()) {
      const read = cg.tensor(await x.read(), { shape: x.shape });
      assertAllClose(read, expected[i]!, { rtol: 1e-4, atol: 2e-3 });
    }
  });
}

Deno.test("conv() runs as products that copy no window", async () => {
  const [x, w] = [cg.ones([2, 4, 32, 32]), cg.ones([4, 4, 3, 3])];
  const f = (x: Tensor, w: Tensor) => cg.conv(x, w, { padding: 1 }).relu();
  await using program = await cg.compile(f, [x, w]);
  const steps = program.explain().match(/^ +\d+\. .*$/gm)!.map((step) =>
    step.match(/\w+(?=\()/)![0]
  );
  assertEquals(steps, ["pad", "matmul", "where"]);
});
