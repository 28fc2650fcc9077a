/** The golden vectors of the losses of segmentations that `make_segmentation.py` computed. */
import binaryCrossEntropy from "../golden/binary_cross_entropy.json" with { type: "json" };
import binaryCrossEntropyLogits from "../golden/binary_cross_entropy_logits.json" with {
  type: "json",
};
import diceCrossEntropy from "../golden/dice_cross_entropy.json" with { type: "json" };
import diceOptions from "../golden/dice_options.json" with { type: "json" };
import dicePooled from "../golden/dice_pooled.json" with { type: "json" };
import diceSquared from "../golden/dice_squared.json" with { type: "json" };
import focalOptions from "../golden/focal_options.json" with { type: "json" };
import focalTversky from "../golden/focal_tversky.json" with { type: "json" };
import generalizedDice from "../golden/generalized_dice.json" with { type: "json" };
import jaccard from "../golden/jaccard.json" with { type: "json" };
import jaccardSquared from "../golden/jaccard_squared.json" with { type: "json" };
import softCrossEntropy from "../golden/soft_cross_entropy.json" with { type: "json" };
import tverskyOptions from "../golden/tversky_options.json" with { type: "json" };
import unifiedFocal from "../golden/unified_focal.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";

const FILES = [
  binaryCrossEntropy,
  binaryCrossEntropyLogits,
  diceCrossEntropy,
  diceOptions,
  dicePooled,
  diceSquared,
  focalOptions,
  focalTversky,
  generalizedDice,
  jaccard,
  jaccardSquared,
  softCrossEntropy,
  tverskyOptions,
  unifiedFocal,
];

for (const file of FILES) {
  Deno.test(`the golden vectors of ${file.loss} hold`, () => {
    checkGolden(file, GOLDEN_FUNCTIONS[file.loss]!);
  });
}
