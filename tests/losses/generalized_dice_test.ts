import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { diceLoss, generalizedDiceLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { classCases, RUNS } from "../arbitraries.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

Deno.test("generalizedDiceLoss() of classes of one size is the pooled Dice loss", () => {
  fc.assert(
    fc.property(classCases(), ({ logits }) => {
      const [n, classes] = logits.shape as [number, number];
      const z = logits.reshape(n, classes, -1).slice([0, 0, 0], [1, classes, 1])
        .broadcastTo(classes, classes, 1);
      const labels = Array.from({ length: classes }, (_, c) => [c]);
      const pooled = diceLoss(z, labels, { smooth: 0, perClass: false });
      assertAllClose(generalizedDiceLoss(z, labels, { smooth: 0 }), pooled, { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("generalizedDiceLoss() does not depend on the size of the image, without smoothing", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const [z, y] = [logits, labels].map((x) =>
        x.expandDims(-1).tile([...x.shape.map(() => 1), 3])
      );
      const options = { smooth: 0 };
      assertAllClose(
        generalizedDiceLoss(z!, y!, options),
        generalizedDiceLoss(logits, labels, options),
        { atol: 1e-12 },
      );
    }),
    RUNS,
  );
});

Deno.test("generalizedDiceLoss() drowns in its smoothing where volumes are large", () => {
  const zeros = tensor(new Float32Array(4e5), { shape: [1, 2, 2e5] });
  const labels = [Array.from({ length: 2e5 }, (_, i) => i % 2)];
  assertAlmostEquals(generalizedDiceLoss(zeros, labels).item(), 0.4, 1e-6);
  assertAlmostEquals(generalizedDiceLoss(zeros, labels, { smooth: 0 }).item(), 0.5, 1e-6);
  // 1e6 voxels: 1 − (2e-6 + 1e-5) / (4e-6 + 1e-5)
  assertAlmostEquals(1 - 1.2e-5 / 1.4e-5, 0.14, 5e-3);
});

Deno.test("generalizedDiceLoss() gives absent classes the largest weight, or none", () => {
  const logits = tensor([[0, 0, 0], [0, 0, 0], [0, 0, 0]], { dtype: "float64" });
  const labels = [0, 0, 1];
  // q = 1/3: TP 2/3, 1/3, 0; sizes 3, 2, 1; weights 1/4, 1, and 1 or 0.
  const both = 2 * (2 / 3 / 4 + 1 / 3);
  const options = { smooth: 0 } as const;
  assertSame(generalizedDiceLoss(logits, labels, options), 1 - both / (3 / 4 + 2 + 1));
  const skipped = generalizedDiceLoss(logits, labels, { ...options, absent: "skip" });
  assertSame(skipped, 1 - both / (3 / 4 + 2));
  const weighted = generalizedDiceLoss(logits, labels, { ...options, weight: [1, 2, 3] });
  assertSame(weighted, 1 - 2 * (2 / 3 / 4 + 2 / 3) / (3 / 4 + 2 * 2 + 3));
});

Deno.test("generalizedDiceLoss() of no labels is 0, whatever is predicted", () => {
  for (const absent of ["count", "skip"] as const) {
    for (const smooth of [0, 1e-8]) {
      const options = { activation: "none", includeBackground: false, absent, smooth } as const;
      const loss = (z: Tensor) => generalizedDiceLoss(z, [[0, 0, 0]], options);
      assertEquals(assertFinite(loss, [tensor([[[1, 1, 0], [0, 0, 1]]])]), 0);
    }
  }
});

Deno.test("generalizedDiceLoss() averages samples with labels, where those without are skipped", () => {
  const logits = [[[0, 0], [0, 0]], [[0, 0], [0, 0]]];
  const targets = [[[1, 0], [0, 1]], [[0, 0], [0, 0]]];
  const options = { smooth: 0, perSample: true } as const;
  assertAlmostEquals(generalizedDiceLoss(logits, targets, options).item(), 0.25, 1e-7);
  const skipped = generalizedDiceLoss(logits, targets, { ...options, absent: "skip" });
  assertAlmostEquals(skipped.item(), 0.5, 1e-7);
});

Deno.test("generalizedDiceLoss() has finite derivatives by shares, absent classes among them", () => {
  const [logits, shares] = [tensor([[1, 2, 3], [3, 2, 1]]), tensor([[0.5, 0, 1], [1, 0, 0]])];
  for (const absent of ["count", "skip"] as const) {
    for (const perSample of [true, false]) {
      const options = { absent, perSample };
      assertFinite((z, y) => generalizedDiceLoss(z, y, options), [logits, shares]);
      assertFinite((z, y) => generalizedDiceLoss(z, y, options), [logits, shares.mul(0)]);
    }
  }
});

Deno.test("generalizedDiceLoss() is finite for shares of any size", () => {
  for (const size of [1e-30, 1e-10, 1]) {
    const targets = tensor([[size, 0, 1], [size, 0, 0]]);
    for (const smooth of [0, 1e-5]) {
      const loss = (z: Tensor) => generalizedDiceLoss(z, targets, { smooth });
      assertGreater(assertFinite(loss, [tensor([[1, 2, 3], [3, 2, 1]])]), 0);
    }
  }
});

testMisuse("generalizedDiceLoss", [
  [
    "an argument too many",
    () => (generalizedDiceLoss as (...args: unknown[]) => unknown)([[1, 2]], [0], {}, 1),
    TypeError,
    "Cannot compute generalizedDiceLoss as it takes nothing after options: current value is 1",
  ],
  [
    "perClass, as it pools classes itself",
    () => generalizedDiceLoss([[1, 2]], [0], { perClass: true } as never),
    TypeError,
    "Cannot compute generalizedDiceLoss as there is no option perClass: the options are smooth, " +
    "ignoreIndex, activation, includeBackground, absent, perSample, weight, squared, reduction",
  ],
]);
