import { sigmoid, softmax, type Tensor, tensor, valueAndGrad, zeros } from "@cellgrad/cellgrad";
import {
  binaryCrossEntropyWithLogitsLoss,
  crossEntropyLoss,
  focalLoss,
  type FocalOptions,
} from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, floats, gridNumbers, RUNS } from "../arbitraries.ts";
import { assertFinite, assertReductions, assertSame, ignoreOff, testMisuse } from "./laws.ts";

const channels = { activation: "sigmoid" } as const;

/** One-hot rows of labels (N, …), as (N, C, …). */
function oneHot(logits: Tensor, labels: Tensor): Tensor {
  return logits.mul(0).add(1).cumsum({ axis: 1 }).equal(labels.expandDims(1).add(1))
    .cast("float64");
}

const column = (weight: Tensor, logits: Tensor) =>
  weight.reshape(logits.shape.map((_, axis) => axis === 1 ? -1 : 1));

Deno.test("focalLoss() of channels is what its formula says", () => {
  fc.assert(
    fc.property(
      classCases(),
      gridNumbers(0, 4),
      fc.boolean(),
      ({ logits, labels, weight }, gamma, includeBackground) => {
        const p = sigmoid(logits);
        const options = { ...channels, gamma, weight, includeBackground, alpha: 0.5 };
        const hard = oneHot(logits, labels);
        const soft = sigmoid(logits.mul(-2));
        for (const [targets, y] of [[labels, hard], [hard, hard], [soft, soft]] as const) {
          const there = y.mul(p.neg().add(1).pow(gamma)).mul(p.log());
          const absent = y.neg().add(1).mul(p.pow(gamma)).mul(p.neg().add(1).log());
          const all = there.add(absent).mul(column(weight, logits)).neg();
          const losses = includeBackground ? all : all.slice([0, 1]);
          const found = focalLoss(logits, targets, { ...options, reduction: "none" });
          assertAllClose(found, losses.mul(0.5), { atol: 1e-12, rtol: 1e-9 });
          assertAllClose(focalLoss(logits, targets, options), losses.mean().mul(0.5), {
            rtol: 1e-9,
          });
        }
      },
    ),
    RUNS,
  );
});

Deno.test("focalLoss() of shares is what its formula says", () => {
  fc.assert(
    fc.property(
      classCases(),
      gridNumbers(0, 4),
      fc.boolean(),
      ({ logits, weight }, gamma, includeBackground) => {
        const p = softmax(logits, { axis: 1 });
        const y = sigmoid(logits.mul(2));
        const all = y.mul(p.neg().add(1).pow(gamma)).mul(p.log()).mul(column(weight, logits));
        const losses = (includeBackground ? all : all.slice([0, 1])).sum({ axis: 1 }).neg();
        const options = { gamma, weight, includeBackground, reduction: "none" } as const;
        assertAllClose(focalLoss(logits, y, options), losses, { atol: 1e-12, rtol: 1e-9 });
      },
    ),
    RUNS,
  );
});

Deno.test("focalLoss() of one-hot shares is that of labels, with any options", () => {
  const more = fc.record({
    gamma: gridNumbers(0, 3),
    ptFromWeighted: fc.boolean(),
    includeBackground: fc.boolean(),
    activation: fc.constantFrom("softmax" as const, "sigmoid" as const),
    reduction: fc.constantFrom("mean" as const, "sum" as const, "none" as const),
  });
  fc.assert(
    fc.property(classCases(), more, ({ logits, labels, weight }, options) => {
      const found = focalLoss(logits, oneHot(logits, labels), { ...options, weight });
      assertAllClose(found, focalLoss(logits, labels, { ...options, weight }), { atol: 1e-12 });
    }),
    RUNS,
  );
});

Deno.test("focalLoss() of channels without focusing is the binary cross entropy", () => {
  fc.assert(
    fc.property(classCases(), ({ logits, labels }) => {
      const y = oneHot(logits, labels);
      const focal = focalLoss(logits, y, { ...channels, gamma: 0 });
      assertSame(focal, binaryCrossEntropyWithLogitsLoss(logits, y));
    }),
    RUNS,
  );
});

Deno.test("focalLoss() of channels is the cross entropy times (1 − p_t)^γ", () => {
  // Of optax's tests: large and small logits of what is there.
  for (const p of [0.9, 0.98, 0.3, 0.99, 0.1, 0.02, 0.09, 0.15]) {
    const logits = tensor([[Math.log(p / (1 - p))]], { dtype: "float64" });
    const ratio = focalLoss(logits, [[1]], channels).item() /
      binaryCrossEntropyWithLogitsLoss(logits, [[1]]).item();
    assertAllClose(tensor(ratio), (1 - p) ** 2, { rtol: 1e-5 });
  }
});

Deno.test("focalLoss() of channels costs good predictions less than bad ones", () => {
  const loss = (...logits: number[]) => focalLoss([logits], [[1, 0, 1]], channels).item();
  assertLess(loss(10, -10, 10), loss(-1, 2, 0));
});

Deno.test("focalLoss() of channels takes p_t from the weighted cross entropy on request", () => {
  const logits = tensor([[Math.log(9), 0]], { dtype: "float64" });
  const options = { ...channels, weight: [33, 1], includeBackground: true } as const;
  const found = focalLoss(logits, [[1, 0]], { ...options, ptFromWeighted: true, reduction: "sum" });
  const expected = (1 - 0.9 ** 33) ** 2 * 33 * -Math.log(0.9) + 0.25 * Math.LN2;
  assertAllClose(found, expected, { rtol: 1e-9 });
});

Deno.test("focalLoss() of channels averages the entries of positions that count", () => {
  fc.assert(
    fc.property(classCases(), fc.boolean(), ({ logits, labels, mask, weight }, all) => {
      const kept = ignoreOff(labels, mask, 255);
      const options = { ...channels, weight, ignoreIndex: 255, includeBackground: all };
      const loss = (reduction: "mean" | "sum" | "none") =>
        focalLoss(logits, kept, { ...options, reduction });
      const classes = logits.shape[1]! - (all ? 0 : 1);
      assertReductions(loss, mask.sum().item() * classes);
      assertEquals(loss("none").shape[1], classes);
    }),
    RUNS,
  );
});

Deno.test("focalLoss() without the background counts its positions in the mean", () => {
  const logits = tensor([[0, 0], [0, 0]], { dtype: "float64" });
  const found = focalLoss(logits, [0, 1], { gamma: 0, includeBackground: false });
  assertSame(found, Math.LN2 / 2);
});

Deno.test("focalLoss() of channels and of shares has the right derivatives", () => {
  const cases = fc.record({ logits: floats([2, 3, 2]), shares: floats([2, 3, 2], 0.05, 0.95) });
  const gammas = fc.constantFrom(0, 0.5, 2);
  fc.assert(
    fc.property(cases, gammas, fc.boolean(), ({ logits, shares }, gamma, isSigmoid) => {
      const activation = isSigmoid ? "sigmoid" : "softmax";
      const loss = (z: Tensor, y: Tensor) => focalLoss(z, y, { gamma, activation });
      checkGradients(loss, [logits, shares], { order: 2, rtol: 1e-5 });
    }),
    FEW_RUNS,
  );
});

Deno.test("focalLoss() of channels and of shares is finite for logits of ±1e4", () => {
  const logits = tensor([[1e4, -1e4, 0], [-1e4, 1e4, 1e4], [100, -75, 50]]);
  const soft = [[0.9, 0.1, 0.8], [0.2, 1, 0], [0, 0, 1]];
  for (const targets of [[0, 1, 2], [2, 0, 1], soft]) {
    for (const gamma of [0, 0.5, 2]) {
      for (const activation of ["softmax", "sigmoid"] as const) {
        const options: FocalOptions = { gamma, activation };
        assertFinite((z) => focalLoss(z, targets, options), [logits]);
      }
    }
  }
});

Deno.test("focalLoss() of a hopeless class is ∞, with the gradient of the cross entropy", () => {
  for (const targets of [[0], [[1, 0]]]) {
    const loss = (z: Tensor) => focalLoss(z, targets, { gamma: 0.5 });
    const [value, gradient] = valueAndGrad(loss)([[-Infinity, 0]]);
    assertEquals([value.item(), gradient.toArray()], [Infinity, [[-1, 1]]]);
  }
});

Deno.test("focalLoss() of shares has 0, not NaN, for a class of −∞ that is not there", () => {
  const logits = tensor([[-Infinity, 0, 0]]);
  assertFinite((z: Tensor) => focalLoss(z, [[0, 0.5, 0.5]], { gamma: 0.5 }), [logits]);
  assertFinite((z: Tensor) => focalLoss(z, [0], { includeBackground: false }), [logits]);
  assertFinite((z: Tensor) => focalLoss(z, [[0, 0.5, 1]], channels), [logits]);
  assertEquals(crossEntropyLoss(logits, [[0.5, 0.5, 0]]).item(), Infinity);
});

Deno.test("focalLoss() of nothing is 0, or NaN on request, by shares and of channels", () => {
  const none = zeros([0, 2]);
  for (const activation of ["softmax", "sigmoid"] as const) {
    assertEquals(focalLoss(none, none, { activation }).item(), 0);
    assertEquals(focalLoss(none, none, { activation, emptyMask: "nan" }).item(), NaN);
    const ignored = { activation, ignoreIndex: -1, emptyMask: "nan" } as const;
    assertEquals(focalLoss([[1, 2]], [-1], ignored).item(), NaN);
  }
});

testMisuse("focalLoss", [
  ...(["softmax", "sigmoid"] as const).flatMap((activation) => {
    const options = { activation };
    const of = activation === "softmax" ? "of shares" : "of channels";
    return [
      [
        `a negative gamma ${of}`,
        () => focalLoss([[1, 2]], [[0, 1]], { ...options, gamma: -1 }),
        RangeError,
        "Cannot compute focalLoss as gamma must be a finite number at least 0: current value is -1",
      ],
      [
        `a ptFromWeighted that is no boolean, ${of}`,
        () => focalLoss([[1, 2]], [[0, 1]], { ...options, ptFromWeighted: 1 as never }),
        TypeError,
        "Cannot compute focalLoss as ptFromWeighted must be true or false: current value is 1",
      ],
    ] as const;
  }),
]);
