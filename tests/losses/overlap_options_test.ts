import { tensor } from "@cellgrad/cellgrad";
import {
  diceCrossEntropyLoss,
  diceLoss,
  type DiceOptions,
  generalizedDiceLoss,
} from "@cellgrad/cellgrad/losses";
import { assertEquals, assertThrows } from "@std/assert";
import { assertSame, testMisuse } from "./laws.ts";

const logits = tensor([[1, 0, 2], [0, 1, 0]], { dtype: "float64" });
const dice = (options: DiceOptions) => diceLoss(logits, [2, 0], options);

Deno.test("losses of overlaps have the defaults that they say they have", () => {
  const defaults = {
    smooth: 1,
    perClass: true,
    activation: "softmax",
    includeBackground: true,
    absent: "count",
    perSample: false,
    squared: false,
    reduction: "mean",
  } as const;
  assertSame(dice({}), dice(defaults));
  const { perClass: _, ...others } = defaults;
  const options = { ...others, smooth: 1e-5 };
  assertSame(generalizedDiceLoss(logits, [2, 0]), generalizedDiceLoss(logits, [2, 0], options));
});

Deno.test("weights have an entry for the background, though it may be left out", () => {
  const losses = dice({ reduction: "none", includeBackground: false });
  const weighted = dice({ reduction: "none", includeBackground: false, weight: [5, 2, 3] });
  assertEquals(losses.shape, [2]);
  assertSame(weighted.sub(losses.mul([2, 3])).sum(), 0);
});

Deno.test("names of other libraries are refused with the name of ours", () => {
  const meant = {
    ...{ include_background: "includeBackground", do_bg: "includeBackground" },
    ...{ squared_pred: "squared", smooth_nr: "smooth", eps: "smooth", ignore_label: "ignoreIndex" },
    ...{ batch: "perSample", batch_dice: "perSample", sigmoid: "activation", mode: "activation" },
    ...{ from_logits: "activation", other_act: "activation", use_softmax: "activation" },
    ...{ lambda_dice: "diceWeight", weight_ce: "crossEntropyWeight", pos_weight: "positiveWeight" },
    ...{ ce_weight: "crossEntropyWeight", smooth_factor: "labelSmoothing" },
  };
  for (const [theirs, ours] of Object.entries(meant)) {
    const call = () => diceCrossEntropyLoss(logits, [2, 0], { [theirs]: 1 } as object);
    assertThrows(call, TypeError, `there is no option ${theirs}: did you mean ${ours}?`);
  }
});

const bad = (options: object) => () => dice(options as DiceOptions);

testMisuse("diceLoss", [
  [
    "a negative smoothing",
    bad({ smooth: -1 }),
    RangeError,
    "Cannot compute diceLoss as smooth must be a finite number at least 0: current value is -1",
  ],
  [
    "an unknown activation",
    bad({ activation: "tanh" }),
    TypeError,
    "Cannot compute diceLoss as activation must be one of softmax, sigmoid, none: " +
    "current value is tanh",
  ],
  ...["includeBackground", "perSample", "squared", "perClass"].map((name) =>
    [
      `a ${name} that is no boolean`,
      bad({ [name]: 1 }),
      TypeError,
      `Cannot compute diceLoss as ${name} must be true or false: current value is 1`,
    ] as const
  ),
  [
    "an unknown way with absent classes",
    bad({ absent: "zero" }),
    TypeError,
    "Cannot compute diceLoss as absent must be one of count, skip: current value is zero",
  ],
  [
    "an unknown reduction",
    bad({ reduction: "average" }),
    TypeError,
    "Cannot compute diceLoss as reduction must be one of mean, sum, none: current value is average",
  ],
  [
    "weights that are not one per class",
    bad({ weight: [1, 2] }),
    TypeError,
    "Cannot compute diceLoss as weight must have the shape [3]: current shape is [2]",
  ],
  [
    "negative weights",
    bad({ weight: [1, 2, -1] }),
    RangeError,
    "Cannot compute diceLoss as weight must be at least 0: current value at position 2 is -1",
  ],
  [
    "weights of one ratio for all classes",
    bad({ weight: [1, 2, 3], perClass: false }),
    TypeError,
    "Cannot compute diceLoss as weight belongs to the losses of classes: with perClass: false " +
    "there is one for all",
  ],
  [
    "one channel without the background",
    () => diceLoss([[1]], [1], { activation: "sigmoid", includeBackground: false }),
    TypeError,
    "Cannot compute diceLoss as includeBackground: false needs a class besides the background: " +
    "current number of classes is 1",
  ],
]);
