import { key, normal, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { clDiceLoss, type ClDiceOptions } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import {
  assertAlmostEquals,
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertNotEquals,
} from "@std/assert";
import fc from "fast-check";
import { softSkeleton } from "../../src/losses/soft_skeleton.ts";
import { FEW_RUNS, floats, integers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/cl_dice.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

/** Small segmentations of two and three dimensions. */
const cases = fc.tuple(
  fc.integer({ min: 1, max: 2 }),
  fc.integer({ min: 2, max: 3 }),
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 3 }),
).chain(([n, classes, space]) =>
  fc.record({
    logits: floats([n, classes, ...space]),
    labels: integers([n, ...space], 0, classes - 1),
    iterations: fc.integer({ min: 0, max: 3 }),
  })
);

/** One image from rows of digits. */
const image = (...rows: string[]) =>
  tensor([rows.map((row) => [...row].map(Number))], { dtype: "int32" });

/** Logits of two classes that are certain of some labels. */
function certain(labels: Tensor): Tensor {
  const numbers = tensor([-1, 1], { dtype: "float64" }).reshape([1, 2, 1, 1]);
  return labels.expandDims(1).cast("float64").sub(0.5).mul(1e4).mul(numbers);
}

const LINE = image("00000", "01110", "00000");

Deno.test("clDiceLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.cl_dice!);
});

Deno.test("softSkeleton() leaves thin lines as they are, and the middle of wide ones", () => {
  const of = (x: Tensor, iterations: number) =>
    softSkeleton(x.cast("float64").expandDims(1), iterations).at(0, 0).toArray();
  assertEquals(of(LINE, 3), LINE.at(0).toArray());
  const bar = image("0000000", "0111110", "0111110", "0111110", "0000000");
  assertEquals(of(bar, 0), [
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
  ]);
  assertEquals(
    of(bar, 1),
    image("0000000", "0000000", "0011100", "0000000", "0000000").at(0)
      .toArray(),
  );
  assertEquals(of(bar, 3), of(bar, 1));
  // Beyond the border there is nothing, which is no reason to erode.
  assertEquals(of(image("11", "11"), 3), [[0, 0], [0, 0]]);
});

Deno.test("softSkeleton() does not change once all is eroded", () => {
  fc.assert(
    fc.property(cases, ({ logits }) => {
      const images = logits.sigmoid();
      const most = images.shape.slice(2).reduce((sum, n) => sum + n - 1, 0);
      const [once, twice] = [most, most + 1].map((n) => softSkeleton(images, n)) as [
        Tensor,
        Tensor,
      ];
      assertEquals(once.data, twice.data);
      assertEquals(softSkeleton(images, 1e9).data, once.data);
    }),
    RUNS,
  );
});

Deno.test("softSkeleton() lies between 0 and the image", () => {
  fc.assert(
    fc.property(cases, ({ logits, iterations }) => {
      const images = logits.sigmoid();
      const skeleton = softSkeleton(images, iterations);
      for (const value of skeleton.data) assertGreaterOrEqual(value, 0);
      for (const less of images.sub(skeleton).data) assertGreaterOrEqual(less, -1e-12);
    }),
    RUNS,
  );
});

Deno.test("clDiceLoss() lies in [0, 1]", () => {
  fc.assert(
    fc.property(cases, ({ logits, labels, iterations }) => {
      for (const smooth of [0, 1]) {
        const loss = clDiceLoss(logits, labels, { iterations, smooth }).item();
        assertGreaterOrEqual(loss, -1e-12);
        assertLessOrEqual(loss, 1);
      }
    }),
    RUNS,
  );
});

Deno.test("clDiceLoss() of certain and right predictions is 0, whatever the shape", () => {
  for (const labels of [LINE, image("010", "111", "010"), image("111", "111", "111")]) {
    for (const smooth of [0, 1]) {
      assertEquals(clDiceLoss(certain(labels), labels, { smooth }).item(), 0);
    }
  }
});

Deno.test("clDiceLoss() sees a gap, where a wider line is as good as the line", () => {
  const gap = image("00000", "01010", "00000");
  // All of the prediction's skeleton is right; of the three places of the line's, two are met.
  assertAlmostEquals(
    clDiceLoss(certain(gap), LINE, { smooth: 0 }).item(),
    1 - 2 * (2 / 3) / (1 + 2 / 3),
    1e-12,
  );
  const line = image("0000000", "0000000", "0111110", "0000000", "0000000");
  const wide = image("0000000", "0111110", "0111110", "0111110", "0000000");
  assertEquals(clDiceLoss(certain(wide), line, { smooth: 0 }).item(), 0);
});

Deno.test("clDiceLoss() erodes three times and adds 1 by default", () => {
  const logits = normal(key(1), [1, 2, 13, 13]);
  const labels = logits.at(0, 0).greater(0).cast("int32").expandDims(0);
  const of = (options: ClDiceOptions) => clDiceLoss(logits, labels, options).item();
  assertEquals(of({}), of({ iterations: 3, smooth: 1 }));
  for (const other of [{ iterations: 2 }, { iterations: 6 }, { smooth: 2 }]) {
    assertNotEquals(of(other), of({}));
  }
});

Deno.test("clDiceLoss() of a line that is missed is 1, or what smoothing makes of it", () => {
  const other = image("11111", "00000", "00000");
  const apart = image("00000", "00000", "01110");
  assertEquals(clDiceLoss(certain(other), apart, { smooth: 0 }).item(), 1);
  assertAlmostEquals(
    clDiceLoss(certain(other), apart).item(),
    1 - 2 * (1 / 6) * (1 / 4) / (1 / 6 + 1 / 4),
    1e-12,
  );
});

Deno.test("clDiceLoss() is the mean over all classes but the first", () => {
  fc.assert(
    fc.property(cases, ({ logits, labels }) => {
      const classes = logits.shape[1]!;
      // Each class against the rest: the rest's logit is what all others amount to.
      const single = Array.from({ length: classes - 1 }, (_, i) => {
        const p = logits.softmax({ axis: 1 }).slice(
          logits.shape.map((_, axis) => axis === 1 ? i + 1 : 0),
          logits.shape.map((n, axis) => axis === 1 ? i + 2 : n),
        );
        const z = tensor([0, 1], { dtype: "float64" })
          .reshape([1, 2, ...logits.shape.slice(2).map(() => 1)])
          .mul(p.log().sub(p.neg().add(1).log()));
        return clDiceLoss(z, labels.equal(i + 1).cast("int32")).item();
      });
      const mean = single.reduce((a, b) => a + b, 0) / single.length;
      assertAllClose(clDiceLoss(logits, labels), mean, { rtol: 1e-9 });
    }),
    RUNS,
  );
});

Deno.test("clDiceLoss() does not depend on the order of the batch, nor on that of the axes", () => {
  const shuffled = cases.chain((c) =>
    fc.tuple(
      fc.constant(c),
      permutations(c.labels.shape[0]!),
      permutations(c.labels.shape.length - 1),
    )
  );
  fc.assert(
    fc.property(shuffled, ([{ logits, labels, iterations }, order, axes]) => {
      const loss = clDiceLoss(logits, labels, { iterations });
      const reordered = [logits, labels].map((x) => x.gather(order)) as [Tensor, Tensor];
      assertSame(clDiceLoss(...reordered, { iterations }), loss);
      const turned = clDiceLoss(
        logits.transpose([0, 1, ...axes.map((axis) => axis + 2)]),
        labels.transpose([0, ...axes.map((axis) => axis + 1)]),
        { iterations },
      );
      assertSame(turned, loss);
    }),
    RUNS,
  );
});

Deno.test("clDiceLoss() has the right first and second derivatives", () => {
  const few = cases.filter(({ logits }) => logits.size <= 24);
  fc.assert(
    fc.property(few, fc.constantFrom(0, 1), ({ logits, labels, iterations }, smooth) => {
      const loss = (z: Tensor) => clDiceLoss(z, labels, { iterations, smooth });
      checkGradients(loss, [logits], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("clDiceLoss() is finite for logits of ±1e4, and where a class is absent", () => {
  const logits = zeros([1, 3, 2, 2]).add(tensor([1e4, -1e4, 0]).reshape([1, 3, 1, 1]));
  for (const smooth of [0, 1]) {
    for (const iterations of [0, 3]) {
      const loss = (z: Tensor) => clDiceLoss(z, [[[0, 0], [0, 1]]], { iterations, smooth });
      assertFinite(loss, [logits]);
      assertFinite(loss, [logits.neg()]);
      assertFinite(loss, [logits.mul(0)]);
    }
  }
  // Neither labelled nor predicted: no mistake.
  const empty = (z: Tensor) => clDiceLoss(z, [[[0, 0], [0, 0]]], { smooth: 0 });
  assertEquals(assertFinite(empty, [logits]), 0);
});

Deno.test("clDiceLoss() is finite where hardly anything is predicted, in float32", () => {
  for (const gap of [80, 88.5, 95, 103]) {
    const logits = zeros([1, 2, 3, 3]).add(tensor([gap, 0]).reshape([1, 2, 1, 1]));
    for (const labels of [[[0, 0, 0], [1, 1, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]]]) {
      assertFinite((z) => clDiceLoss(z, [labels], { smooth: 0 }), [logits]);
    }
  }
});

Deno.test("clDiceLoss() of nothing is 0", () => {
  const labels = zeros([0, 3, 3], { dtype: "int32" });
  assertEquals(clDiceLoss(zeros([0, 2, 3, 3]), labels).item(), 0);
});

testMisuse("clDiceLoss", [
  [
    "lines of one dimension",
    () => clDiceLoss(zeros([1, 2, 3]), zeros([1, 3])),
    TypeError,
    "Cannot compute clDiceLoss as logits must have two or three axes of space: " +
    "current shape is [1, 2, 3]",
  ],
  [
    "four dimensions",
    () => clDiceLoss(zeros([1, 2, 3, 1, 1, 1]), zeros([1, 3, 1, 1, 1])),
    TypeError,
    "Cannot compute clDiceLoss as logits must have two or three axes of space: " +
    "current shape is [1, 2, 3, 1, 1, 1]",
  ],
  [
    "half an iteration",
    () => clDiceLoss(zeros([1, 2, 3, 3]), zeros([1, 3, 3]), { iterations: 0.5 }),
    RangeError,
    "Cannot compute clDiceLoss as iterations must be a whole number at least 0: " +
    "current value is 0.5",
  ],
  [
    "a negative smoothing",
    () => clDiceLoss(zeros([1, 2, 3, 3]), zeros([1, 3, 3]), { smooth: -1 }),
    RangeError,
    "Cannot compute clDiceLoss as smooth must be a finite number at least 0: current value is -1",
  ],
  [
    "the authors' name of an option",
    () => clDiceLoss(zeros([1, 2, 3, 3]), zeros([1, 3, 3]), { iter_: 3 } as never),
    TypeError,
    "Cannot compute clDiceLoss as there is no option iter_: did you mean iterations? " +
    "The options are iterations, smooth",
  ],
]);
