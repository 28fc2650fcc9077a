import { type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { crossEntropyLoss, diceLoss, focalLoss } from "@cellgrad/cellgrad/losses";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { classCases, RUNS } from "../arbitraries.ts";
import { assertFinite, assertSame, ignoreOff, testMisuse } from "./laws.ts";

const channel = { activation: "sigmoid" } as const;

Deno.test("one channel by sigmoid is two classes by softmax, with zeros before it", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels, mask }) => {
      const z = logits.slice([0, 1], [logits.shape[0]!, 2]);
      const both = z.mul(0).sub(0);
      const binary = ignoreOff(labels.equal(1).cast("int32"), mask, -1);
      const two = diceLoss(concatChannels(both, z), binary, {
        ignoreIndex: -1,
        includeBackground: false,
      });
      assertSame(diceLoss(z, binary, { ...channel, ignoreIndex: -1 }), two);
    }),
    RUNS,
  );
});

function concatChannels(a: Tensor, b: Tensor): Tensor {
  const parts = [a, b].map((x) => x.moveAxis(1, 0));
  return parts[0]!.stack(parts.slice(1), { axis: 0 }).squeeze(1).moveAxis(0, 1);
}

Deno.test("targets of the logits' shape are shares, those without the class axis labels", () => {
  const logits = tensor([[[1, 2], [3, 1]]]); // one sample, two classes, two positions
  const labels = [[1, 0]];
  const shares = [[[0, 1], [1, 0]]];
  for (const loss of [diceLoss, focalLoss, crossEntropyLoss]) {
    assertSame(loss(logits, labels), loss(logits, shares));
  }
});

Deno.test("positions that are ignored get no gradient by any activation", () => {
  for (const activation of ["softmax", "sigmoid", "none"] as const) {
    const loss = (z: Tensor) => diceLoss(z, [1, -1], { activation, ignoreIndex: -1 });
    assertFinite(loss, [tensor([[0.2, 0.5], [NaN, Infinity]])]);
  }
});

Deno.test("a channel by itself does not look at the background that is left out", () => {
  const loss = (z: Tensor) => diceLoss(z, [1, 0], { ...channel, includeBackground: false });
  assertFinite(loss, [tensor([[NaN, 0.5], [NaN, 1]])]);
});

testMisuse("diceLoss", [
  [
    "logits without a class axis",
    () => diceLoss([1, 2], [1, 0]),
    TypeError,
    "Cannot compute diceLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [2] and [2]",
  ],
  [
    "labels with a class axis of their own",
    () => diceLoss(zeros([2, 3, 4]), zeros([2, 1, 4])),
    TypeError,
    "Cannot compute diceLoss as logits must have the shape [N, C, …spatial] and labels " +
    "[N, …spatial]: current shapes are [2, 3, 4] and [2, 1, 4]",
  ],
  [
    "one class by softmax",
    () => diceLoss([[1], [2]], [0, 1]),
    TypeError,
    "Cannot compute diceLoss as logits must have at least two classes: current shape is [2, 1]; " +
    "for two classes by one logit, put zeros before it along axis 1",
  ],
  [
    "one class by softmax and shares",
    () => diceLoss([[1], [2]], [[0], [1]]),
    TypeError,
    "Cannot compute diceLoss as logits must have at least two classes: current shape is [2, 1]; " +
    "for two classes by one logit, put zeros before it along axis 1",
  ],
  [
    "no class",
    () => diceLoss(zeros([2, 0]), [0, 1], channel),
    TypeError,
    "Cannot compute diceLoss as logits must have at least one class: current shape is [2, 0]",
  ],
  [
    "a third class of one channel",
    () => diceLoss([[1], [2]], [0, 2], channel),
    RangeError,
    "Cannot compute diceLoss as labels must be in [0, 1]: current value at position 1 is 2",
  ],
  [
    "labels to ignore among shares",
    () => diceLoss([[1, 2]], [[0, 1]], { ignoreIndex: 2 }),
    TypeError,
    "Cannot compute diceLoss as ignoreIndex belongs to labels of the shape [N, …spatial]: " +
    "current targets have the shape of the logits",
  ],
  [
    "shares out of range",
    () => diceLoss([[1, 2]], [[0, 255]]),
    RangeError,
    "Cannot compute diceLoss as targets must be in [0, 1]: current value at position 1 is 255; " +
    "labels have the shape [N, …spatial]",
  ],
]);

testMisuse("crossEntropyLoss", [
  [
    "labels to ignore among shares",
    () => crossEntropyLoss([[1, 2]], [[0, 1]], { ignoreIndex: 1 }),
    TypeError,
    "Cannot compute crossEntropyLoss as ignoreIndex belongs to labels of the shape " +
    "[N, …spatial]: current targets have the shape of the logits",
  ],
]);

testMisuse("focalLoss", [
  [
    "probabilities",
    () => focalLoss([[1, 2]], [0], { activation: "none" as never }),
    TypeError,
    "Cannot compute focalLoss as activation must be one of softmax, sigmoid: current value is none",
  ],
  [
    "one channel without the background",
    () => focalLoss([[1]], [0], { ...channel, includeBackground: false }),
    TypeError,
    "Cannot compute focalLoss as includeBackground: false needs a class besides the background: " +
    "current number of classes is 1",
  ],
  [
    "an includeBackground that is no boolean",
    () => focalLoss([[1, 2]], [0], { includeBackground: 0 as never }),
    TypeError,
    "Cannot compute focalLoss as includeBackground must be true or false: current value is 0",
  ],
]);

Deno.test("crossEntropyLoss() of shares has its default for ignoreIndex, said or not", () => {
  const loss = (options: object) => crossEntropyLoss([[1, 2]], [[0.5, 0.5]], options).item();
  assertEquals(loss({ ignoreIndex: -100 }), loss({}));
});
