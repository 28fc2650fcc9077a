import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
import { crossEntropyLoss, focalLoss, maskedVoxelLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, RUNS } from "../arbitraries.ts";
import golden from "../golden/masked_voxel_loss.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import {
  assertAllZero,
  assertFinite,
  assertSame,
  entriesOn,
  ignoreOff,
  testMisuse,
} from "./laws.ts";

Deno.test("maskedVoxelLoss() agrees with the golden vectors", () => {
  checkGolden(
    golden,
    ({ logits, targets, mask, weight }, { gamma }) =>
      maskedVoxelLoss(logits, targets, mask, { weight, gamma: gamma ?? undefined }),
  );
});

Deno.test("maskedVoxelLoss() is the mean weighted cross entropy of the masked voxels", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight, mask }) => {
      const losses = crossEntropyLoss(logits, labels, { weight, reduction: "none" });
      const subset = entriesOn(losses, mask).mean();
      assertSame(maskedVoxelLoss(logits, labels, mask, { weight }), subset);
    }),
    RUNS,
  );
});

Deno.test("maskedVoxelLoss() with gamma is the focal loss of the masked voxels", () => {
  fc.assert(
    fc.property(classCases(), fc.boolean(), ({ logits, labels, weight, mask }, ptFromWeighted) => {
      const options = { gamma: 2, weight, ptFromWeighted };
      const kept = ignoreOff(labels, mask, -1);
      const focal = focalLoss(logits, kept, { ...options, ignoreIndex: -1 });
      assertSame(maskedVoxelLoss(logits, labels, mask, options), focal);
    }),
    RUNS,
  );
});

Deno.test("maskedVoxelLoss() takes p from the weighted cross entropy by default", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, weight, mask }) => {
      const options = { gamma: 2, weight };
      const original = maskedVoxelLoss(logits, labels, mask, { ...options, ptFromWeighted: true });
      assertSame(maskedVoxelLoss(logits, labels, mask, options), original);
    }),
    RUNS,
  );
});

Deno.test("maskedVoxelLoss() divides by voxels where the cross entropy divides by weights", () => {
  const { logits, targets, weight, mask } = golden.cases.find((c) => c.id === "ce1")!.inputs;
  const volume = tensor(logits.data, { shape: logits.shape });
  const labels = tensor(targets.data, { shape: targets.shape, dtype: "int32" });
  const selected = tensor(mask.data, { shape: mask.shape, dtype: "int32" });
  const options = { weight: weight!.data };
  assertAlmostEquals(maskedVoxelLoss(volume, labels, selected, options).item(), 24.3, 0.05);
  const mean = crossEntropyLoss(volume, ignoreOff(labels, selected, -100), options);
  assertAlmostEquals(mean.item(), 2.51, 0.005);
});

Deno.test("maskedVoxelLoss() gives voxels off the mask gradient 0, whatever their logits", () => {
  for (const gamma of [undefined, 0.5, 2]) {
    const loss = (z: Tensor) => maskedVoxelLoss(z, [1, 0], [1, 0], { gamma });
    const logits = tensor([[0, 0], [NaN, Infinity]]);
    assertFinite(loss, [logits]);
    assertAllZero(grad(loss)(logits).slice(1));
  }
});

Deno.test("maskedVoxelLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(
      classCases(),
      fc.constantFrom(undefined, 2),
      ({ logits, labels, weight, mask }, gamma) => {
        const loss = (z: Tensor, w: Tensor) =>
          maskedVoxelLoss(z, labels, mask, { gamma, weight: w });
        checkGradients(loss, [logits, weight], { order: 2, rtol: 2e-6 });
      },
    ),
    FEW_RUNS,
  );
});

Deno.test("maskedVoxelLoss() is finite for logits of ±1e4", () => {
  const logits = tensor([[1e4, -1e4], [1e4, -1e4]]);
  for (const gamma of [undefined, 0.5, 2]) {
    assertFinite((z) => maskedVoxelLoss(z, [0, 1], [1, 1], { gamma }), [logits]);
  }
});

Deno.test("maskedVoxelLoss() of an empty mask is 0, or NaN on request", () => {
  assertEquals(assertFinite((z) => maskedVoxelLoss(z, [0], [0]), [tensor([[1, 2]])]), 0);
  assert(Number.isNaN(maskedVoxelLoss([[1, 2]], [0], [0], { emptyMask: "nan" }).item()));
});

testMisuse("maskedVoxelLoss", [
  [
    "a mask of another shape",
    () => maskedVoxelLoss([[1, 2]], [0], [[1]]),
    TypeError,
    "Cannot compute maskedVoxelLoss as labels and mask must have the same shape: " +
    "current shapes are [1] and [1, 1]",
  ],
  [
    "labels of another shape",
    () => maskedVoxelLoss([[1, 2]], [0, 1], [1, 1]),
    TypeError,
    "Cannot compute maskedVoxelLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [1, 2] and [2]",
  ],
  [
    "a label out of range, also off the mask",
    () => maskedVoxelLoss([[1, 2]], [2], [0]),
    RangeError,
    "Cannot compute maskedVoxelLoss as labels must be in [0, 1]: current value at position 0 is 2",
  ],
  [
    "an empty mask on request",
    () => maskedVoxelLoss([[1, 2]], [0], [0], { emptyMask: "error" }),
    RangeError,
    "Cannot compute maskedVoxelLoss as mask must select at least one entry: " +
    '0 of 1 are selected; emptyMask "zero" or "nan" allows this',
  ],
  [
    "a negative gamma",
    () => maskedVoxelLoss([[1, 2]], [0], [1], { gamma: -2 }),
    RangeError,
    "Cannot compute maskedVoxelLoss as gamma must be a finite number at least 0: " +
    "current value is -2",
  ],
  [
    "an unknown option",
    () => maskedVoxelLoss([[1, 2]], [0], [1], { ignoreIndex: 0 } as never),
    TypeError,
    "Cannot compute maskedVoxelLoss as there is no option ignoreIndex: the options are " +
    "weight, gamma, ptFromWeighted, emptyMask",
  ],
]);
