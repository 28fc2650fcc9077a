import { tensor } from "@cellgrad/cellgrad";
import { diceLoss, jaccardLoss, tverskyLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose } from "@cellgrad/cellgrad/testing";
import fc from "fast-check";
import { classCases, gridNumbers, RUNS } from "../arbitraries.ts";
import { assertSame, testMisuse } from "./laws.ts";

Deno.test("jaccardLoss() is the Tversky loss with 1, 1", () => {
  fc.assert(
    fc.property(classCases(), gridNumbers(0, 3), ({ logits, labels, weight }, smooth) => {
      const options = { smooth, weight };
      const tversky = tverskyLoss(logits, labels, { ...options, alpha: 1, beta: 1 });
      assertAllClose(jaccardLoss(logits, labels, options), tversky, { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("jaccardLoss() of a class without smoothing is that of Dice, J = D / (2 − D)", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const options = { smooth: 0, reduction: "none" } as const;
      const dice = diceLoss(logits, labels, options).neg().add(1);
      const jaccard = dice.div(dice.neg().add(2)).neg().add(1);
      assertAllClose(jaccardLoss(logits, labels, options), jaccard, { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("jaccardLoss() follows its formula, class by class", () => {
  const logits = tensor([[Math.log(2), 0], [0, 0]], { dtype: "float64" });
  // q = (2/3, 1/3), (1/2, 1/2); the labels are 0 and 1.
  const index = [
    (2 / 3 + 1) / (2 / 3 + 1 / 2 + 1 / 3 + 1),
    (1 / 2 + 1) / (1 / 2 + 1 / 3 + 1 / 2 + 1),
  ];
  assertSame(jaccardLoss(logits, [0, 1]), 1 - (index[0]! + index[1]!) / 2);
});

testMisuse("jaccardLoss", [
  [
    "an argument too many",
    () => (jaccardLoss as (...args: unknown[]) => unknown)([[1, 2]], [0], {}, 1),
    TypeError,
    "Cannot compute jaccardLoss as it takes nothing after options: current value is 1",
  ],
  [
    "an unknown option",
    () => jaccardLoss([[1, 2]], [0], { alpha: 1 } as never),
    TypeError,
    "Cannot compute jaccardLoss as there is no option alpha: the options are smooth, perClass, " +
    "ignoreIndex, activation, includeBackground, absent, perSample, weight, squared, reduction",
  ],
]);
