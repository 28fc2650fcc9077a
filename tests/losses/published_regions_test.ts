/**
 * Rows of published tests, inputs and numbers as facts: MONAI's of HausdorffDTLoss and
 * LogHausdorffDTLoss, MCCLoss and SoftclDiceLoss, of which all agree that can be said here.
 *
 * A channel by itself, after a sigmoid, is the second of two classes whose first has the logit 0; for
 * `hausdorffLoss` and `matthewsLoss` both classes have the same loss then, and `clDiceLoss` leaves the
 * first out. Several such channels are as many losses, or, where MONAI adds up over them, samples.
 *
 * What cannot be said: rows with tanh or log-softmax, which are no probabilities; for
 * `hausdorffLoss`, sigmoids at exactly ½ (one is above ½ in neither class); for `matthewsLoss`, a
 * perfect prediction of a single class, which is 0/0 and 1 here, 0 in MONAI; the rows of
 * SoftDiceclDiceLoss but the one without Dice. segmentation_models.pytorch tests neither its
 * LovaszLoss nor its MCCLoss, and MONAI's tests of BoundaryLoss compare with no numbers.
 */
import { stack, type Tensor, tensor } from "@cellgrad/cellgrad";
import { clDiceLoss, hausdorffLoss, matthewsLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose } from "@cellgrad/cellgrad/testing";

type Nested = number | readonly Nested[];

const f64 = (values: Nested) => tensor(values as number[], { dtype: "float64" });

/** A channel of samples as the second of two classes. */
const channel = (z: Nested) => stack([f64(z).mul(0), f64(z)], { axis: 1 });

/** The logits of probabilities, of which 0 and 1 are certain. */
const logit = (p: Nested) => {
  const kept = f64(p).clip(1e-300, 1 - 1e-16);
  return kept.log().sub(kept.neg().add(1).log());
};

const mean = (...values: Tensor[]) => stack(values).mean();

const CROSS = [[1, -1], [-1, 1]];
const THREE = [[1, 0], [1, 1]];
const TWO = [[1, 0], [0, 1]];
const HALF = [[1, 0], [1, 0]];
const FULL = [[1, 1], [1, 1]];

const hausdorff = (z: Nested, y: Nested) => hausdorffLoss(channel(z), y as number[]);
const matthews = (z: Nested, y: Nested) => matthewsLoss(channel(z), y as number[]);

Deno.test("hausdorffLoss() agrees with MONAI's table of HausdorffDTLoss", () => {
  const rows: [Tensor, number][] = [
    [hausdorff([CROSS], [THREE]), 0.509329],
    [hausdorff([[CROSS]], [[THREE]]), 0.509329],
    [
      hausdorff([[[[1, -1], [1, -1]], [[-1, 1], [-1, 1]]]], [[HALF, [[0, 0], [1, 1]]]]),
      0.375718,
    ],
    [mean(hausdorff([CROSS], [THREE]), hausdorff([CROSS], [TWO])), 0.326994],
    [hausdorff([CROSS, CROSS], [FULL, HALF]), 0.455082],
    [hausdorff([CROSS], [TWO]), 0.144659],
  ];
  for (const [loss, expected] of rows) {
    assertAllClose(loss, expected, { rtol: 1e-5 });
    // LogHausdorffDTLoss has the same rows.
    assertAllClose(loss.log1p(), Math.log1p(expected), { rtol: 1e-5 });
  }
});

Deno.test("hausdorffLoss() agrees with MONAI's table where it takes a softmax", () => {
  const logits = f64([
    [[[-1], [0], [1]], [[1], [0], [-1]]],
    [[[0], [0], [0]], [[0], [0], [0]]],
  ]);
  const loss = hausdorffLoss(logits, [[[1], [0], [0]], [[1], [1], [0]]]);
  assertAllClose(loss, 0.357016, { rtol: 1e-5 });
  // "sum" adds up samples and classes.
  assertAllClose(loss.mul(4), 1.428062, { rtol: 1e-5 });
});

Deno.test("matthewsLoss() agrees with MONAI's table of MCCLoss", () => {
  const rise = [-1, 0, 1];
  const fall = [1, 0, -1];
  const flat = [0, 0, 0];
  const apart = [
    matthews([rise], [[0, 1, 1]]),
    matthews([fall], [[1, 0, 0]]),
    matthews([flat], [[0, 0, 1]]),
    matthews([flat], [[1, 1, 0]]),
  ];
  const first = matthewsLoss([[rise, fall]], [[1, 0, 0]]);
  const second = matthewsLoss([[flat, flat]], [[1, 1, 0]]);
  const certain = f64([[[1, 1, 0], [0, 0, 1]], [[1, 0, 1], [0, 1, 0]]]).mul(999);
  const rows: [Tensor, number][] = [
    [matthews([CROSS], [THREE]), 0.733197],
    [mean(matthews([CROSS], [FULL]), matthews([CROSS], [HALF])), 1],
    [matthews([[[99, -99], [-99, 99]]], [TWO]), 0],
    [matthews([[[-99, 99], [99, -99]]], [TWO]), 2],
    [matthewsLoss(certain, [[0, 0, 1], [0, 1, 0]]), 0],
    [mean(...apart), 0.836617],
    [mean(...apart).mul(4), 3.346468],
    [
      mean(
        matthews([rise, flat], [[0, 1, 1], [0, 0, 1]]),
        matthews([fall, flat], [[1, 0, 0], [1, 1, 0]]),
      ),
      0.845961,
    ],
    [first, 0.461472],
    [second, 1],
    [mean(first, second), 0.730736],
  ];
  for (const [loss, expected] of rows) {
    assertAllClose(loss, expected, { rtol: 1e-4, atol: 1e-8 });
  }
});

Deno.test("clDiceLoss() agrees with MONAI's table of SoftclDiceLoss", () => {
  const ones = [FULL, FULL, FULL];
  const smooth = 1e-5;
  const of = (p: Tensor, y: Nested, options = {}) =>
    clDiceLoss(stack([p.mul(0), p], { axis: 1 }), y as number[], options);
  const softmax = f64([[[[2, 0], [0, 2]]], [[[-2, 0], [0, -2]]]]).squeeze(1).softmax({ axis: 0 });
  const square = [[[1, 1, 0], [1, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]]];
  const shifted = [[[0, 1, 1], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]]];
  const rows: [Tensor, number][] = [
    [of(logit(ones), ones), 0],
    [of(logit([ones, ones]), [ones, ones]), 0],
    [
      of(f64([CROSS, [[0.5, 0.5], [0.5, 0.5]]]), [TWO, [[0, 1], [1, 0]]], { smooth }),
      0.192777,
    ],
    [of(logit(softmax.toArray() as number[]), [TWO, [[0, 1], [1, 0]]], { smooth }), 0.14876],
    [
      of(logit([[[0.9, 0.1], [0.1, 0.9]], [[0.1, 0.9], [0.9, 0.1]]]), [TWO, [[0, 1], [1, 0]]], {
        smooth,
      }),
      0.052631,
    ],
    [of(logit(square), shifted, { smooth }), 0.99999],
  ];
  for (const [loss, expected] of rows) {
    assertAllClose(loss, expected, { rtol: 1e-4, atol: 1e-4 });
  }
});
