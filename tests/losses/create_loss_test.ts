import type { Tensor, TensorLike } from "@cellgrad/cellgrad";
import {
  classWeights,
  createLoss,
  crossEntropyLoss,
  diceLoss,
  focalDiceLoss,
  focalLoss,
  type LossConfig,
  tverskyLoss,
} from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS } from "../arbitraries.ts";
import { assertSame, testMisuse } from "./laws.ts";

const COUNTS = [80, 10, 7, 3];

/** Every type with settings of its own, the loss that it stands for, and its description. */
const TYPES: [LossConfig, (z: TensorLike, y: TensorLike, w: Tensor) => Tensor, string[]][] = [
  [{ lossType: "ce" }, (z, y) => crossEntropyLoss(z, y), ["Loss type: ce"]],
  [
    { lossType: "weighted_ce", classCounts: COUNTS },
    (z, y, weight) => crossEntropyLoss(z, y, { weight }),
    ["Loss type: weighted_ce", "Class weights: [1.25 10.0 14.3 33.3]"],
  ],
  [
    { lossType: "focal", focalGamma: 3, useClassWeighting: true, classCounts: COUNTS },
    (z, y, weight) => focalLoss(z, y, { gamma: 3, weight }),
    ["Loss type: focal", "Focal gamma: 3.0", "Class weights: [1.25 10.0 14.3 33.3]"],
  ],
  [
    { lossType: "focal", focalGamma: 0.5, useClassWeighting: false, classCounts: COUNTS },
    (z, y) => focalLoss(z, y, { gamma: 0.5 }),
    ["Loss type: focal", "Focal gamma: 0.5"],
  ],
  [
    { lossType: "dice", diceSmooth: 10 },
    (z, y) => diceLoss(z, y, { smooth: 10 }),
    ["Loss type: dice", "Dice smooth: 10.0"],
  ],
  [
    {
      lossType: "focal_dice",
      focalGamma: 5,
      focalWeight: 0.3,
      diceWeight: 0.7,
      diceSmooth: 0.1,
      classCounts: COUNTS,
    },
    (z, y, weight) =>
      focalDiceLoss(z, y, { gamma: 5, focalWeight: 0.3, diceWeight: 0.7, smooth: 0.1, weight }),
    [
      "Loss type: focal_dice",
      "Focal gamma: 5.0",
      "Focal weight: 0.3",
      "Dice weight: 0.7",
      "Dice smooth: 0.1",
      "Class weights: [1.25 10.0 14.3 33.3]",
    ],
  ],
  [
    { lossType: "tversky", tverskyAlpha: 0.3, tverskyBeta: 0.6, diceSmooth: 2 },
    (z, y) => tverskyLoss(z, y, { alpha: 0.3, beta: 0.6, smooth: 2 }),
    [
      "Loss type: tversky",
      "Tversky alpha (FP weight): 0.3",
      "Tversky beta (FN weight): 0.6",
      "Dice smooth: 2.0",
    ],
  ],
];

const volumes = classCases(4).filter(({ logits }) => logits.shape[1] === 4);

for (const [config, loss, lines] of TYPES) {
  const name = `${config.lossType}${config.useClassWeighting === false ? " without weights" : ""}`;

  Deno.test(`createLoss() makes ${name}`, () => {
    const weight = classWeights(COUNTS);
    fc.assert(
      fc.property(volumes, ({ logits, labels }) => {
        assertSame(createLoss(config)(logits, labels), loss(logits, labels, weight));
      }),
      FEW_RUNS,
    );
  });

  Deno.test(`createLoss() describes ${name}`, () => {
    const block = ["Loss Configuration:", ...lines.map((line) => `  - ${line}`)].join("\n");
    assertEquals(createLoss(config).describe(), block);
  });
}

Deno.test("createLoss() prints the guide's block", () => {
  const loss = createLoss({
    lossType: "focal_dice",
    useClassWeighting: true,
    classCounts: COUNTS,
  });
  assertEquals(
    loss.describe(),
    `Loss Configuration:
  - Loss type: focal_dice
  - Focal gamma: 2.0
  - Focal weight: 0.5
  - Dice weight: 0.5
  - Dice smooth: 1.0
  - Class weights: [1.25 10.0 14.3 33.3]`,
  );
});

Deno.test("createLoss() has the guide's defaults", () => {
  assertEquals(
    createLoss({ lossType: "tversky" }).describe(),
    `Loss Configuration:
  - Loss type: tversky
  - Tversky alpha (FP weight): 0.7
  - Tversky beta (FN weight): 0.3
  - Dice smooth: 1.0`,
  );
});

Deno.test("createLoss() says where class weights are not used", () => {
  const config = { useClassWeighting: true, classCounts: COUNTS };
  const last = (lossType: "ce" | "dice" | "tversky") =>
    createLoss({ ...config, lossType }).describe().split("\n").at(-1);
  assertEquals(last("ce"), "  - Class weights: none (ce takes none)");
  assertEquals(last("dice"), "  - Class weights: none (dice takes none)");
  assertEquals(last("tversky"), "  - Class weights: none (tversky takes none)");
  const counted = createLoss({ lossType: "ce", classCounts: COUNTS }).describe();
  assertEquals(counted.split("\n").at(-1), "  - Class weights: none (ce takes none)");
});

Deno.test("createLoss() prints numbers to the digits that they have", () => {
  const lines = createLoss({ lossType: "focal", focalGamma: 1.25 }).describe();
  assertEquals(lines.split("\n").at(-1), "  - Focal gamma: 1.25");
});

Deno.test("createLoss() normalizes class weights as told", () => {
  const config = { lossType: "weighted_ce", classCounts: COUNTS } as const;
  const lines = createLoss({ ...config, classWeightNormalization: "meanOne" }).describe();
  assertEquals(lines.split("\n").at(-1), "  - Class weights: [0.0849 0.679 0.971 2.26]");
});

Deno.test("createLoss() prints large weights in whole numbers", () => {
  const last = (classCounts: number[]) =>
    createLoss({ lossType: "weighted_ce", classCounts }).describe().split("\n").at(-1);
  assertEquals(last([9999, 1]), "  - Class weights: [1.00 10000]");
  assertEquals(last([998.5, 1]), "  - Class weights: [1.00 1000]");
});

Deno.test("createLoss() makes losses with gradients", () => {
  const loss = createLoss({ lossType: "focal_dice", classCounts: COUNTS });
  fc.assert(
    fc.property(volumes, ({ logits, labels }) => {
      checkGradients((z) => loss(z, labels), [logits], { order: 2, rtol: 2e-6 });
    }),
    { ...FEW_RUNS, numRuns: 3 },
  );
});

const KEYS = "lossType, useClassWeighting, classCounts, classWeightNormalization, focalGamma, " +
  "focalWeight, diceWeight, diceSmooth, tverskyAlpha, tverskyBeta";

testMisuse("createLoss", [
  [
    "an unknown type",
    () => createLoss({ lossType: "iou" as never }),
    TypeError,
    "Cannot compute createLoss as lossType must be one of " +
    "ce, weighted_ce, focal, dice, focal_dice, tversky: current value is iou",
  ],
  [
    "no type",
    () => createLoss({} as never),
    TypeError,
    "Cannot compute createLoss as lossType must be one of " +
    "ce, weighted_ce, focal, dice, focal_dice, tversky: current value is undefined",
  ],
  [
    "the guide's key in Python's spelling",
    () => createLoss({ lossType: "focal", focal_gamma: 2 } as never),
    TypeError,
    `Cannot compute createLoss as there is no option "focal_gamma": the options are ${KEYS}`,
  ],
  [
    "a type in place of the configuration",
    () => createLoss("focal" as never),
    TypeError,
    `Cannot compute createLoss as options must be an object with any of ${KEYS}: ` +
    "current value is focal",
  ],
  [
    "a negative number, also of another type",
    () => createLoss({ lossType: "ce", tverskyBeta: -1 }),
    RangeError,
    "Cannot compute createLoss as tverskyBeta must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "weighted cross entropy without counts",
    () => createLoss({ lossType: "weighted_ce" }),
    TypeError,
    'Cannot compute createLoss as lossType "weighted_ce" needs class weights: give classCounts, ' +
    "without useClassWeighting false",
  ],
  [
    "weighting without counts",
    () => createLoss({ lossType: "focal", useClassWeighting: true }),
    TypeError,
    "Cannot compute createLoss as useClassWeighting needs classCounts: " +
    "give how often each class occurs",
  ],
  [
    "a weighting that is no boolean",
    () => createLoss({ lossType: "focal", useClassWeighting: "yes" as never }),
    TypeError,
    "Cannot compute createLoss as useClassWeighting must be true or false: current value is yes",
  ],
  [
    "an unknown normalization, also of another type",
    () => createLoss({ lossType: "ce", classWeightNormalization: "mean_one" as never }),
    TypeError,
    "Cannot compute createLoss as classWeightNormalization must be one of " +
    "plain, balanced, meanOne: current value is mean_one",
  ],
]);
