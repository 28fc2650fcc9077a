/** NaN in, NaN out, unless masked: every loss, every entry of all that it reads, in all ways of running. */
import { assert, assertEquals } from "@std/assert";
import * as cg from "../../mod.ts";
import { isFloating } from "../../src/dtype.ts";
import { gpuTest, narrow } from "../backends/webgpu/gpu.ts";
import { NAN_CASES } from "./nan_cases.ts";

type Tensor = cg.Tensor;

/** Losses with a mask, or with labels to ignore. */
const MASKED = /^masked|^negLogBernoulli|sc(gpt|former)Objective$|ignoring$/;

function withValue(x: Tensor, at: number, value: number): Tensor {
  const data = Float64Array.from(x.data);
  data[at] = value;
  return cg.tensor(data, { shape: x.shape, dtype: x.dtype });
}

function isMask({ data }: Tensor): boolean {
  return data.every((value: number) => value === 0 || value === 1);
}

/** An entry of one of the inputs, and the inputs with another value there. */
interface Place {
  readonly index: number;
  readonly at: number;
  readonly set: (value: number) => Tensor[];
}

function placesOf(inputs: readonly Tensor[]): Place[] {
  return inputs.flatMap((x, index) =>
    isFloating(x.dtype)
      ? Array.from({ length: x.size }, (_, at): Place => ({
        index,
        at,
        set: (value) => inputs.map((own, i) => i === index ? withValue(x, at, value) : own),
      }))
      : []
  );
}

/** Whether the loss does not look at an entry: it is the same for other numbers there. */
function isOff(loss: (x: Tensor[]) => Tensor, { set }: Place): boolean {
  const [first, ...others] = [0, 0.25, 1, -30, 30].map((value) => outcome(loss, set(value)));
  return others.every((value) => value === first);
}

/** What the loss of inputs is: a number, or the kind of the error. */
function outcome(loss: (x: Tensor[]) => Tensor, inputs: Tensor[]): number | string {
  try {
    return loss(inputs).item();
  } catch (error) {
    assert(error instanceof RangeError, String(error));
    return error.name;
  }
}

for (const [name, inputs, loss] of NAN_CASES) {
  Deno.test(`NaN anywhere in ${name} comes out`, () => {
    let seen = 0;
    for (const place of placesOf(inputs)) {
      if (MASKED.test(name) && isOff(loss, place)) continue;
      const found = outcome(loss, place.set(NaN));
      const where = `entry ${place.at} of input ${place.index}`;
      assert(found === "RangeError" || Number.isNaN(found), `${where} gives ${found}`);
      seen++;
    }
    assert(seen > 0);
  });

  Deno.test(`NaN anywhere in ${name} comes out of a program`, async () => {
    await using program = await cg.compile((...x: Tensor[]) => loss(x), inputs);
    for (const place of placesOf(inputs)) {
      if (MASKED.test(name) && isOff(loss, place)) continue;
      const expected = outcome(loss, place.set(NaN));
      if (typeof expected === "number") {
        assertEquals((await program(...place.set(NaN)) as Tensor).item(), NaN);
      }
    }
  });

  gpuTest(`NaN anywhere in ${name} comes out of a device`, async (gpu) => {
    const narrowed = inputs.map(narrow);
    await using program = await cg.compile((...x: Tensor[]) => loss(x), narrowed, { device: gpu });
    const places = placesOf(narrowed).filter((place) =>
      place.at % 5 < 2 && !(MASKED.test(name) && isOff(loss, place)) &&
      outcome(loss, place.set(NaN)) !== "RangeError"
    );
    // Asked for at once, so that all share one wait.
    const found = await Promise.all(places.map(async ({ index, at, set }) => {
      const [value] = await (await program(...set(NaN)) as Tensor).read();
      return [index, at, value];
    }));
    assertEquals(found, places.map(({ index, at }) => [index, at, NaN]));
  });
}

for (const [name, inputs, loss] of NAN_CASES.filter(([name]) => MASKED.test(name))) {
  Deno.test(`NaN that ${name} does not look at changes nothing, and gets gradient 0`, () => {
    const places = placesOf(inputs).filter((place) => isOff(loss, place));
    assert(places.length > 0);
    const expected = loss(inputs).item();
    const argnums = inputs.flatMap((x, i) => isFloating(x.dtype) && !isMask(x) ? [i] : []);
    const by = cg.valueAndGrad((...x: Tensor[]) => loss(x), { argnums });
    for (const { index, at, set } of places) {
      const [value, gradients] = by(...set(NaN)) as unknown as [Tensor, Tensor[]];
      assertEquals(value.item(), expected);
      gradients.forEach(({ data }, i) => {
        assert(data.every(Number.isFinite), `the gradient of input ${argnums[i]} is ${data}`);
        if (argnums[i] === index) assertEquals(Math.abs(data[at]!), 0);
      });
    }
  });
}

Deno.test("focalLoss() of −∞ on the label is ∞, and its gradient that of the cross entropy", () => {
  const logits = cg.tensor([[-Infinity, 0]], { dtype: "float64" });
  for (const gamma of [0, 0.5, 2]) {
    for (const loss of [cg.crossEntropyLoss, cg.focalLoss]) {
      const f = (z: Tensor) =>
        loss === cg.focalLoss ? cg.focalLoss(z, [0], { gamma }) : cg.crossEntropyLoss(z, [0]);
      const [value, gradient] = cg.valueAndGrad(f, { checkNaN: true })(logits);
      assertEquals(value.item(), Infinity);
      assertEquals(gradient.toArray(), [[-1, 1]]);
    }
  }
});

Deno.test("infinite values give what PyTorch's formula gives", () => {
  const infinite = cg.tensor([[Infinity, 0], [1, 2], [0, 1]], { dtype: "float64" });
  const found = {
    mse: cg.maskedMseLoss(infinite, infinite.mul(0).add(1), [[1, 1], [1, 1], [1, 1]]),
    offMask: cg.maskedMseLoss(infinite, [[0, 0], [0, 0], [0, 0]], [[0, 1], [1, 1], [1, 1]]),
    dice: cg.diceLoss(infinite, [0, 1, 1]),
    crossEntropy: cg.crossEntropyLoss(infinite, [1, 1, 1]),
    mmd: cg.mmdLoss(infinite, [0, 1, 1]),
    ecs: cg.elasticCellSimilarityLoss(infinite),
    sparsity: cg.geneWeightSparsityLoss([1, -Infinity]),
  };
  assertEquals(Object.fromEntries(Object.entries(found).map(([name, x]) => [name, x.item()])), {
    mse: NaN, // the target is NaN
    offMask: 6 / 5,
    dice: NaN,
    crossEntropy: NaN,
    mmd: Infinity,
    ecs: NaN,
    sparsity: Infinity,
  });
});

Deno.test("losses of float32 are float32, whatever they count", () => {
  for (const [name, inputs, loss] of NAN_CASES.filter(([name]) => name !== "classWeights")) {
    const single = inputs.map((x) => x.dtype === "float64" ? x.cast("float32") : x);
    assertEquals([name, loss(single).dtype], [name, "float32"]);
  }
});
