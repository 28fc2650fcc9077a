import { tensor } from "@cellgrad/cellgrad";
import {
  createLoss,
  type LossConfig,
  type LossProblem,
  recommendLoss,
} from "@cellgrad/cellgrad/losses";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { testMisuse } from "./laws.ts";

/** The guide's settings for each problem, and what its reason is about. */
const TREE: [LossProblem, LossConfig, string][] = [
  [
    "over-predicting",
    { lossType: "focal", focalGamma: 2, useClassWeighting: true },
    "High recall",
  ],
  [
    "under-predicting",
    { lossType: "tversky", tverskyAlpha: 0.3, tverskyBeta: 0.7, diceSmooth: 1 },
    "Low recall",
  ],
  [
    "optimize-iou",
    {
      lossType: "focal_dice",
      focalGamma: 2,
      focalWeight: 0.5,
      diceWeight: 0.5,
      diceSmooth: 1,
      useClassWeighting: true,
    },
    "overlap",
  ],
  [
    "fp-fn-control",
    { lossType: "tversky", tverskyAlpha: 0.7, tverskyBeta: 0.3, diceSmooth: 1 },
    "false positives",
  ],
  ["baseline", { lossType: "weighted_ce", useClassWeighting: true }, "simplest"],
  [
    "small-structures",
    {
      lossType: "focal_tversky",
      focalTverskyGamma: 0.75,
      tverskyAlpha: 0.3,
      tverskyBeta: 0.7,
      diceSmooth: 1,
    },
    "Small regions",
  ],
];

/** What the labels ask for, whatever the balance of classes. */
const LABELS: [LossProblem, LossConfig, string][] = [
  ["absent-classes", { lossType: "dice", absent: "skip", diceSmooth: 1 }, "lack a class"],
  ["multi-label", { lossType: "dice_ce", activation: "sigmoid" }, "do not exclude each other"],
  [
    "thin-structures",
    { lossType: "cldice", skeletonIterations: 3, diceSmooth: 1 },
    "connected, not how thick",
  ],
  ["boundaries", { lossType: "hausdorff", hausdorffAlpha: 2 }, "how far they lie"],
];

for (const [problem, config, reason] of LABELS) {
  Deno.test(`recommendLoss() takes ${config.lossType} for ${problem}, balanced or not`, () => {
    for (const imbalance of [true, false]) {
      const recommendation = recommendLoss({ imbalance, problem });
      assertEquals(recommendation.config, config);
      assertStringIncludes(recommendation.reason, reason);
    }
  });
}

Deno.test("recommendLoss() takes cross entropy where classes are balanced", () => {
  for (const [problem] of TREE) {
    assertEquals(recommendLoss({ imbalance: false, problem }).config, { lossType: "ce" });
  }
});

for (const [problem, config, reason] of TREE) {
  Deno.test(`recommendLoss() takes ${config.lossType} against ${problem}, and says why`, () => {
    const recommendation = recommendLoss({ imbalance: true, problem });
    assertEquals(recommendation.config, config);
    assertStringIncludes(recommendation.reason, reason);
  });
}

Deno.test("recommendLoss() starts with the baseline", () => {
  assertEquals(recommendLoss({ imbalance: true }).config, {
    lossType: "weighted_ce",
    useClassWeighting: true,
  });
});

Deno.test("recommendLoss() returns what createLoss() takes, the class counts added", () => {
  for (const imbalance of [true, false]) {
    for (const [problem] of [...TREE, ...LABELS]) {
      const { config } = recommendLoss({ imbalance, problem });
      const loss = createLoss({ ...config, classCounts: [80, 10, 7, 3] });
      const image = tensor([1, 2, 3, 4]).reshape([1, 4, 1, 1]);
      assertEquals(loss(image, [[[0]]]).shape, []);
    }
  }
});

Deno.test("recommendLoss() hands out a configuration of its own each time", () => {
  const first = recommendLoss({ imbalance: true });
  first.config.lossType = "dice";
  assertEquals(recommendLoss({ imbalance: true }).config.lossType, "weighted_ce");
});

testMisuse("recommendLoss", [
  [
    "an unknown problem",
    () => recommendLoss({ imbalance: true, problem: "slow" as never }),
    TypeError,
    "Cannot compute recommendLoss as problem must be one of over-predicting, under-predicting, " +
    "optimize-iou, fp-fn-control, baseline, small-structures, absent-classes, multi-label, " +
    "thin-structures, boundaries: " +
    "current value is slow",
  ],
  [
    "an imbalance that is not said",
    () => recommendLoss({} as never),
    TypeError,
    "Cannot compute recommendLoss as imbalance must be true or false: current value is undefined",
  ],
  [
    "an unknown question",
    () => recommendLoss({ imbalance: true, goal: "iou" } as never),
    TypeError,
    "Cannot compute recommendLoss as there is no option goal: the options are " +
    "imbalance, problem",
  ],
]);
