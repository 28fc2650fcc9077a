import { type Tensor, tensor, type TensorLike } from "@cellgrad/cellgrad";
import {
  asymmetricLoss,
  classWeights,
  clDiceLoss,
  createLoss,
  crossEntropyLoss,
  diceCrossEntropyLoss,
  diceLoss,
  focalDiceLoss,
  focalLoss,
  focalTverskyLoss,
  generalizedDiceLoss,
  hausdorffLoss,
  jaccardLoss,
  type LossConfig,
  lovaszLoss,
  matthewsLoss,
  polyLoss,
  tverskyLoss,
  unifiedFocalLoss,
} from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, RUNS } from "../arbitraries.ts";
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
  [
    { lossType: "jaccard", diceSmooth: 0.5, includeBackground: false },
    (z, y) => jaccardLoss(z, y, { smooth: 0.5, includeBackground: false }),
    ["Loss type: jaccard", "Dice smooth: 0.5", "Include background: false"],
  ],
  [
    { lossType: "generalized_dice", activation: "sigmoid", perSample: true },
    (z, y) => generalizedDiceLoss(z, y, { activation: "sigmoid", perSample: true }),
    [
      "Loss type: generalized_dice",
      "Dice smooth: 1e-05",
      "Activation: sigmoid",
      "Per sample: true",
    ],
  ],
  [
    { lossType: "focal_tversky", tverskyAlpha: 0.4, focalTverskyGamma: 0.5, absent: "skip" },
    (z, y) => focalTverskyLoss(z, y, { alpha: 0.4, gamma: 0.5, absent: "skip" }),
    [
      "Loss type: focal_tversky",
      "Focal Tversky gamma: 0.5",
      "Tversky alpha (FP weight): 0.4",
      "Tversky beta (FN weight): 0.3",
      "Dice smooth: 1.0",
      "Absent classes: skip",
    ],
  ],
  [
    { lossType: "focal_tversky", tverskyBeta: 0.6, diceSmooth: 2 },
    (z, y) => focalTverskyLoss(z, y, { beta: 0.6, smooth: 2 }),
    [
      "Loss type: focal_tversky",
      "Focal Tversky gamma: 0.75",
      "Tversky alpha (FP weight): 0.7",
      "Tversky beta (FN weight): 0.6",
      "Dice smooth: 2.0",
    ],
  ],
  [
    { lossType: "dice_ce", classCounts: COUNTS, activation: "sigmoid" },
    (z, y, weight) => diceCrossEntropyLoss(z, y, { weight, activation: "sigmoid" }),
    [
      "Loss type: dice_ce",
      "Dice weight: 1.0",
      "Cross entropy weight: 1.0",
      "Dice smooth: 1.0",
      "Activation: sigmoid",
      "Class weights: [1.25 10.0 14.3 33.3]",
    ],
  ],
  [
    { lossType: "dice_ce", diceWeight: 0.3, crossEntropyWeight: 2, diceSmooth: 3 },
    (z, y) => diceCrossEntropyLoss(z, y, { diceWeight: 0.3, crossEntropyWeight: 2, smooth: 3 }),
    ["Loss type: dice_ce", "Dice weight: 0.3", "Cross entropy weight: 2.0", "Dice smooth: 3.0"],
  ],
  [
    { lossType: "unified_focal", unifiedWeight: 0.3, unifiedDelta: 0.7, unifiedGamma: 0.2 },
    (z, y) => unifiedFocalLoss(z, y, { weight: 0.3, delta: 0.7, gamma: 0.2 }),
    ["Loss type: unified_focal", "Unified weight: 0.3", "Unified delta: 0.7", "Unified gamma: 0.2"],
  ],
  [
    { lossType: "bce", positiveWeight: 3, classCounts: COUNTS },
    (z, y, weight) =>
      diceCrossEntropyLoss(z, y, {
        diceWeight: 0,
        activation: "sigmoid",
        weight,
        positiveWeight: 3,
      }),
    ["Loss type: bce", "Positive weight: 3.0", "Class weights: [1.25 10.0 14.3 33.3]"],
  ],
  [{ lossType: "lovasz" }, (z, y) => lovaszLoss(z, y), ["Loss type: lovasz"]],
  [{ lossType: "matthews" }, (z, y) => matthewsLoss(z, y), ["Loss type: matthews"]],
  [
    { lossType: "poly", polyEpsilon: 0.5 },
    (z, y) => polyLoss(z, y, { epsilon: 0.5 }),
    ["Loss type: poly", "Poly epsilon: 0.5"],
  ],
];

/** The defaults of the types that the guide does not have are those of the losses. */
const OWN: [LossConfig["lossType"], (z: Tensor, y: Tensor) => Tensor][] = [
  ["jaccard", (z, y) => jaccardLoss(z, y)],
  ["generalized_dice", (z, y) => generalizedDiceLoss(z, y)],
  ["focal_tversky", (z, y) => focalTverskyLoss(z, y)],
  ["dice_ce", (z, y) => diceCrossEntropyLoss(z, y)],
  ["unified_focal", (z, y) => unifiedFocalLoss(z, y)],
  ["bce", (z, y) => focalLoss(z, y, { gamma: 0, activation: "sigmoid" })],
  ["poly", (z, y) => polyLoss(z, y)],
];

Deno.test("createLoss() has the defaults of the losses for types of its own", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      for (const [lossType, loss] of OWN) {
        assertSame(createLoss({ lossType })(logits, labels), loss(logits, labels));
      }
    }),
    FEW_RUNS,
  );
});

Deno.test("createLoss() makes losses of places and of many labels", () => {
  const z = tensor([0.5, -1, 2, 1, 0, -2, 1, 3, -1, 0.5, 2, 0], { shape: [1, 2, 2, 3] });
  const y = [[[0, 1, 1], [1, 0, 1]]];
  const cases: [LossConfig, Tensor, string[]][] = [
    [
      { lossType: "cldice", skeletonIterations: 1, diceSmooth: 2 },
      clDiceLoss(z, y, { iterations: 1, smooth: 2 }),
      ["Skeleton iterations: 1.0", "Dice smooth: 2.0"],
    ],
    [{ lossType: "cldice" }, clDiceLoss(z, y), ["Skeleton iterations: 3.0", "Dice smooth: 1.0"]],
    [
      { lossType: "hausdorff", hausdorffAlpha: 1 },
      hausdorffLoss(z, y, { alpha: 1 }),
      ["Hausdorff alpha: 1.0"],
    ],
    [{ lossType: "hausdorff" }, hausdorffLoss(z, y), ["Hausdorff alpha: 2.0"]],
  ];
  for (const [config, expected, lines] of cases) {
    assertSame(createLoss(config)(z, y), expected);
    assertEquals(
      createLoss(config).describe(),
      ["Loss Configuration:", `Loss type: ${config.lossType}`, ...lines].join("\n  - "),
    );
  }
  const [scores, labels] = [tensor([[0.5, -1], [2, 3]]), [[1, 0], [0, 1]]];
  const numbers = { gammaNegative: 2, gammaPositive: 3, asymmetricClip: 0.1 };
  assertSame(
    createLoss({ lossType: "asymmetric", ...numbers })(scores, labels),
    asymmetricLoss(scores, labels, { gammaNegative: 2, gammaPositive: 3, clip: 0.1 }),
  );
  const own = createLoss({ lossType: "asymmetric" });
  assertSame(own(scores, labels), asymmetricLoss(scores, labels));
  assertEquals(
    own.describe(),
    "Loss Configuration:\n  - Loss type: asymmetric\n  - Gamma negative: 4.0\n" +
      "  - Gamma positive: 1.0\n  - Clip: 0.05",
  );
});

Deno.test("createLoss() makes losses of one channel and of shares", () => {
  const channel = tensor([[0.5], [-1]]);
  for (const lossType of ["dice", "tversky", "jaccard", "focal_tversky", "dice_ce"] as const) {
    const loss = createLoss({ lossType, activation: "sigmoid" });
    assertSame(loss(channel, [1, 0]), loss(channel, [[1], [0]]));
  }
  const bce = createLoss({ lossType: "bce" });
  assertSame(bce(channel, [1, 0]), bce(channel, [[1], [0]]));
});

Deno.test("createLoss() describes nothing that the loss has no use for", () => {
  const regions = { activation: "sigmoid", absent: "skip", perSample: true } as const;
  assertEquals(
    createLoss({ lossType: "ce", unifiedGamma: 0.1, ...regions }).describe(),
    "Loss Configuration:\n  - Loss type: ce",
  );
});

const volumes = classCases(4).filter(({ logits }) => logits.shape[1] === 4);

for (const [config, loss, lines] of TYPES) {
  const name = lines.join(", ");

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
  const smooth = (diceSmooth: number) =>
    createLoss({ lossType: "dice", diceSmooth }).describe().split("\n").at(-1);
  assertEquals(smooth(1e-4), "  - Dice smooth: 0.0001");
  assertEquals(smooth(2.5e-5), "  - Dice smooth: 2.5e-05");
  assertEquals(smooth(1e-10), "  - Dice smooth: 1e-10");
});

Deno.test("createLoss() normalizes class weights as told", () => {
  const config = { lossType: "weighted_ce", classCounts: COUNTS } as const;
  const lines = createLoss({ ...config, classWeightNormalization: "meanOne" }).describe();
  assertEquals(lines.split("\n").at(-1), "  - Class weights: [0.0849 0.679 0.971 2.26]");
});

/** Labels in which each class occurs as often as `counts` says, in turns. */
function labelsOf(counts: readonly number[]): number[] {
  const labels: number[] = [];
  for (let round = 0; round < Math.max(...counts); round++) {
    counts.forEach((count, c) => round < count && labels.push(c));
  }
  return labels;
}

Deno.test("createLoss() counts labels as if the counts were given", () => {
  const counts = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 5 })
    .filter((counts) => counts.at(-1)! > 0);
  const types = fc.constantFrom("weighted_ce" as const, "focal" as const, "focal_dice" as const);
  const normalizations = fc.constantFrom("plain" as const, "balanced" as const, "meanOne" as const);
  fc.assert(
    fc.property(
      counts,
      types,
      normalizations,
      (classCounts, lossType, classWeightNormalization) => {
        const config = { lossType, classWeightNormalization };
        const counted = createLoss({ ...config, labels: labelsOf(classCounts) });
        const given = createLoss({ ...config, classCounts });
        assertEquals(counted.describe(), given.describe());
        const logits = [classCounts.map((_, c) => c - 1), classCounts.map((_, c) => 2 - c)];
        assertSame(counted(logits, [0, 0]), given(logits, [0, 0]));
      },
    ),
    RUNS,
  );
});

Deno.test("createLoss() prints the guide's weights from labels, of any shape and kind", () => {
  const labels = labelsOf(COUNTS);
  const last = (labels: TensorLike) =>
    createLoss({ lossType: "focal", useClassWeighting: true, labels }).describe().split("\n").at(
      -1,
    );
  for (
    const kind of [labels, Int32Array.from(labels), tensor(labels, { shape: [2, 5, 10] })]
  ) assertEquals(last(kind), "  - Class weights: [1.25 10.0 14.3 33.3]");
});

Deno.test("createLoss() counts labels of one class", () => {
  const lines = createLoss({ lossType: "weighted_ce", labels: [0, 0] }).describe();
  assertEquals(lines.split("\n").at(-1), "  - Class weights: [1.00]");
});

Deno.test("createLoss() does not count what has no label, and takes missing classes for absent", () => {
  const last = (config: Partial<LossConfig>) =>
    createLoss({ lossType: "weighted_ce", ...config }).describe().split("\n").at(-1);
  assertEquals(last({ labels: [0, -100, 1, 1] }), "  - Class weights: [3.00 1.50]");
  assertEquals(
    last({ labels: [0, 0, 1, 1], numClasses: 4, classWeightNormalization: "balanced" }),
    "  - Class weights: [0.500 0.500 0.00 0.00]",
  );
});

Deno.test("createLoss() leaves weights out where told, whatever the labels", () => {
  const config = { labels: [0, 1, 1], useClassWeighting: false } as const;
  assertEquals(
    createLoss({ lossType: "focal", ...config }).describe(),
    "Loss Configuration:\n  - Loss type: focal\n  - Focal gamma: 2.0",
  );
  const counted = createLoss({ lossType: "tversky", labels: [0, 1] }).describe();
  assertEquals(counted.split("\n").at(-1), "  - Class weights: none (tversky takes none)");
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

const KEYS = "lossType, useClassWeighting, classCounts, labels, numClasses, " +
  "classWeightNormalization, focalGamma, focalWeight, diceWeight, diceSmooth, tverskyAlpha, " +
  "tverskyBeta, focalTverskyGamma, crossEntropyWeight, positiveWeight, unifiedWeight, " +
  "unifiedDelta, unifiedGamma, polyEpsilon, skeletonIterations, hausdorffAlpha, gammaNegative, " +
  "gammaPositive, asymmetricClip, activation, includeBackground, absent, perSample";

const NAMES = "ce, weighted_ce, focal, dice, focal_dice, tversky, jaccard, generalized_dice, " +
  "focal_tversky, dice_ce, unified_focal, bce, lovasz, matthews, poly, cldice, hausdorff, asymmetric";

testMisuse("createLoss", [
  [
    "an unknown type",
    () => createLoss({ lossType: "iou" as never }),
    TypeError,
    "Cannot compute createLoss as lossType must be one of " +
    `${NAMES}: current value is iou`,
  ],
  [
    "no type",
    () => createLoss({} as never),
    TypeError,
    "Cannot compute createLoss as lossType must be one of " +
    `${NAMES}: current value is undefined`,
  ],
  [
    "the guide's key in Python's spelling",
    () => createLoss({ lossType: "focal", focal_gamma: 2 } as never),
    TypeError,
    "Cannot compute createLoss as there is no option focal_gamma: did you mean focalGamma? " +
    `The options are ${KEYS}`,
  ],
  [
    "a type in place of the configuration",
    () => createLoss("focal" as never),
    TypeError,
    `Cannot compute createLoss as options must be an object with any of ${KEYS}: ` +
    'current value is "focal"',
  ],
  [
    "a negative number, also of another type",
    () => createLoss({ lossType: "ce", tverskyBeta: -1 }),
    RangeError,
    "Cannot compute createLoss as tverskyBeta must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "an exponent of 0, also of another type",
    () => createLoss({ lossType: "ce", focalTverskyGamma: 0 }),
    RangeError,
    "Cannot compute createLoss as focalTverskyGamma must be a finite number above 0: " +
    "current value is 0",
  ],
  ...(["unifiedWeight", "unifiedDelta"] as const).map((name) =>
    [
      `a ${name} above 1`,
      () => createLoss({ lossType: "unified_focal", [name]: 1.5 }),
      RangeError,
      `Cannot compute createLoss as ${name} must be a finite number at least 0 and at most 1: ` +
      "current value is 1.5",
    ] as const
  ),
  [
    "part of an iteration",
    () => createLoss({ lossType: "ce", skeletonIterations: 1.5 }),
    RangeError,
    "Cannot compute createLoss as skeletonIterations must be a whole number at least 0: " +
    "current value is 1.5",
  ],
  [
    "a polyEpsilon below −1",
    () => createLoss({ lossType: "ce", polyEpsilon: -1.5 }),
    RangeError,
    "Cannot compute createLoss as polyEpsilon must be a finite number at least -1: " +
    "current value is -1.5",
  ],
  [
    "a hausdorffAlpha of 0",
    () => createLoss({ lossType: "ce", hausdorffAlpha: 0 }),
    RangeError,
    "Cannot compute createLoss as hausdorffAlpha must be a finite number above 0: " +
    "current value is 0",
  ],
  [
    "a clip of 1",
    () => createLoss({ lossType: "ce", asymmetricClip: 1 }),
    RangeError,
    "Cannot compute createLoss as asymmetricClip must be a finite number at least 0 and below 1: " +
    "current value is 1",
  ],
  ...(["gammaNegative", "gammaPositive", "asymmetricClip"] as const).map((name) =>
    [
      `a negative ${name}`,
      () => createLoss({ lossType: "ce", [name]: -1 }),
      RangeError,
      `Cannot compute createLoss as ${name} must be a finite number at least 0` +
      `${name === "asymmetricClip" ? " and below 1" : ""}: current value is -1`,
    ] as const
  ),
  [
    "a unifiedGamma of 1",
    () => createLoss({ lossType: "unified_focal", unifiedGamma: 1 }),
    RangeError,
    "Cannot compute createLoss as unifiedGamma must be a finite number at least 0 and below 1: " +
    "current value is 1",
  ],
  ...(["diceWeight", "crossEntropyWeight", "positiveWeight", "unifiedGamma"] as const).map((name) =>
    [
      `a negative ${name}`,
      () => createLoss({ lossType: "dice_ce", [name]: -1 }),
      RangeError,
      `Cannot compute createLoss as ${name} must be a finite number at least 0` +
      `${name === "unifiedGamma" ? " and below 1" : ""}: current value is -1`,
    ] as const
  ),
  [
    "an unknown activation, also of another type",
    () => createLoss({ lossType: "ce", activation: "relu" as never }),
    TypeError,
    "Cannot compute createLoss as activation must be one of softmax, sigmoid, none: " +
    "current value is relu",
  ],
  [
    "an unknown way with absent classes, also of another type",
    () => createLoss({ lossType: "ce", absent: "zero" as never }),
    TypeError,
    "Cannot compute createLoss as absent must be one of count, skip: current value is zero",
  ],
  ...(["includeBackground", "perSample"] as const).map((name) =>
    [
      `a ${name} that is no boolean, also of another type`,
      () => createLoss({ lossType: "ce", [name]: 1 }),
      TypeError,
      `Cannot compute createLoss as ${name} must be true or false: current value is 1`,
    ] as const
  ),
  [
    "an argument too many",
    () => (createLoss as (...args: unknown[]) => unknown)({ lossType: "ce" }, 1),
    TypeError,
    "Cannot compute createLoss as it takes nothing after config: current value is 1",
  ],
  [
    "an argument too many of what it makes",
    () => (createLoss({ lossType: "ce" }) as (...args: unknown[]) => unknown)([[1, 2]], [0], 1),
    TypeError,
    "Cannot compute createLoss as it takes nothing after targets: current value is 1",
  ],
  [
    "weighted cross entropy without counts",
    () => createLoss({ lossType: "weighted_ce" }),
    TypeError,
    'Cannot compute createLoss as lossType "weighted_ce" needs class weights: ' +
    "give classCounts or labels, without useClassWeighting false",
  ],
  [
    "weighting without counts",
    () => createLoss({ lossType: "focal", useClassWeighting: true }),
    TypeError,
    "Cannot compute createLoss as useClassWeighting needs classCounts or labels: " +
    "give how often each class occurs, or the labels to count",
  ],
  [
    "counts and labels",
    () => createLoss({ lossType: "focal", classCounts: [1, 1], labels: [0, 1] }),
    TypeError,
    "Cannot compute createLoss as classCounts and labels must not be given together: " +
    "both say how often each class occurs",
  ],
  [
    "a number of classes without labels",
    () => createLoss({ lossType: "focal", classCounts: [1, 1], numClasses: 2 }),
    TypeError,
    "Cannot compute createLoss as numClasses belongs to labels: current labels are not given",
  ],
  [
    "labels beyond the classes",
    () => createLoss({ lossType: "focal", labels: [0, 3], numClasses: 3 }),
    RangeError,
    "Cannot compute createLoss as labels must be in [0, 2] or ignoreIndex -100: " +
    "current value at position 1 is 3",
  ],
  [
    "labels that name no class, also of a type without weights",
    () => createLoss({ lossType: "dice", labels: [0, -1] }),
    RangeError,
    "Cannot compute createLoss as labels must be in [0, 999999] or ignoreIndex -100: " +
    "current value at position 1 is -1",
  ],
  [
    "labels that are no whole numbers",
    () => createLoss({ lossType: "focal", labels: [0, NaN] }),
    TypeError,
    "Cannot compute createLoss as labels must be whole numbers (int32): " +
    "current value at position 1 is NaN",
  ],
  [
    "no labels",
    () => createLoss({ lossType: "focal", labels: [-100, -100] }),
    RangeError,
    "Cannot compute createLoss as labels must name at least one class: 0 of 2 do",
  ],
  [
    "a number of classes that is none",
    () => createLoss({ lossType: "focal", labels: [0], numClasses: 1e9 }),
    RangeError,
    "Cannot compute createLoss as numClasses must be a whole number at least 1 and " +
    "at most 1000000: current value is 1000000000",
  ],
  [
    "a weighting that is no boolean",
    () => createLoss({ lossType: "focal", useClassWeighting: "yes" as never }),
    TypeError,
    "Cannot compute createLoss as useClassWeighting must be true or false: current value " +
    'is "yes"',
  ],
  [
    "an unknown normalization, also of another type",
    () => createLoss({ lossType: "ce", classWeightNormalization: "mean_one" as never }),
    TypeError,
    "Cannot compute createLoss as classWeightNormalization must be one of " +
    "plain, balanced, meanOne: current value is mean_one",
  ],
]);
