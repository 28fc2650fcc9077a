import { grad, layerNorm, leakyRelu, stopGradient, type Tensor, zeros } from "@cellgrad/cellgrad";
import { domainAdversarialLoss } from "@cellgrad/cellgrad/losses";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, gridNumbers, integers, RUNS } from "../arbitraries.ts";
import linear from "../golden/dab.json" with { type: "json" };
import layered from "../golden/dab_discriminator.json" with { type: "json" };
import { checkGolden } from "../golden/golden.ts";
import { f64, i32 } from "./cells.ts";
import { assertAllZero, assertFinite, assertSame, testMisuse } from "./laws.ts";

Deno.test("domainAdversarialLoss() agrees with the golden vectors of a linear discriminator", () => {
  checkGolden(linear, ({ x, W, b, labels }, { lambd }) =>
    domainAdversarialLoss(x, labels, {
      scale: lambd,
      discriminator: (cells) => cells.matmul(W.transpose()).add(b),
    }));
});

Deno.test("domainAdversarialLoss() agrees with the golden vectors of scGPT's discriminator", () => {
  checkGolden(layered, ({ x, labels, ...p }, { lambd }) => {
    const dense = (cells: Tensor, w: Tensor, b: Tensor) => cells.matmul(w.transpose()).add(b);
    const discriminator = (cells: Tensor) => {
      const first = leakyRelu(dense(cells, p.W1, p.b1));
      const second = leakyRelu(dense(layerNorm(first, { scale: p.g1, shift: p.h1 }), p.W2, p.b2));
      return dense(layerNorm(second, { scale: p.g2, shift: p.h2 }), p.Wo, p.bo);
    };
    return domainAdversarialLoss(x, labels, { discriminator, scale: lambd });
  });
});

const labels = i32([0, 2, 1]);
const models = fc.record({ cells: floats([3, 2]), w: floats([2, 3]) });

function loss(cells: Tensor, w: Tensor, scale?: number): Tensor {
  return domainAdversarialLoss(cells, labels, { discriminator: (x) => x.matmul(w), scale });
}

/** The loss without the reversal: the discriminator sees it as a constant. */
function plain(cells: Tensor, w: Tensor): Tensor {
  return domainAdversarialLoss(stopGradient(cells), labels, {
    discriminator: () => cells.matmul(w),
  });
}

Deno.test("domainAdversarialLoss() turns the gradient of the embeddings into −λ times it", () => {
  fc.assert(
    fc.property(models, gridNumbers(0, 3), ({ cells, w }, scale) => {
      const reversed = grad((x: Tensor) => loss(x, w, scale))(cells);
      assertSame(reversed, grad((x: Tensor) => plain(x, w))(cells).mul(-scale));
    }),
    RUNS,
  );
});

Deno.test("domainAdversarialLoss() has a λ of 1 by default", () => {
  const [cells, w] = [f64([[1, 2], [0, 1], [3, 1]]), f64([[1, 0, 2], [0, 1, 1]])];
  const reversed = grad((x: Tensor) => loss(x, w))(cells);
  assertSame(reversed, grad((x: Tensor) => loss(x, w, 1))(cells));
});

Deno.test("domainAdversarialLoss() leaves the gradient of the discriminator as it is", () => {
  fc.assert(
    fc.property(models, gridNumbers(0, 3), ({ cells, w }, scale) => {
      const own = grad((p: Tensor) => loss(cells, p, scale))(w);
      assertSame(own, grad((p: Tensor) => plain(cells, p))(w));
    }),
    RUNS,
  );
});

Deno.test("domainAdversarialLoss() with λ 0 lets nothing through to the embeddings", () => {
  const gradient = grad((x: Tensor) => loss(x, f64([[1, 2, 3], [3, 1, 2]]), 0))(
    f64([[1, 2], [3, 4], [5, 6]]),
  );
  assertAllZero(gradient);
});

Deno.test("domainAdversarialLoss() is log K where batches cannot be told apart", () => {
  assertSame(loss(f64([[1, 2], [3, 4], [5, 6]]), zeros([2, 3], { dtype: "float64" })), Math.log(3));
});

Deno.test("domainAdversarialLoss() is at least 0", () => {
  fc.assert(
    fc.property(models, ({ cells, w }) => assertGreaterOrEqual(loss(cells, w).item(), 0)),
    RUNS,
  );
});

Deno.test("domainAdversarialLoss() does not depend on the order of the cells", () => {
  fc.assert(
    fc.property(floats([4, 2]), integers([4], 0, 1), (cells, batch) => {
      const order = i32([3, 1, 0, 2]);
      const options = { discriminator: (x: Tensor) => x.tanh() };
      const shuffled = domainAdversarialLoss(cells.gather(order), batch.gather(order), options);
      assertSame(shuffled, domainAdversarialLoss(cells, batch, options));
    }),
    RUNS,
  );
});

Deno.test("domainAdversarialLoss() has right gradients of first and second order", () => {
  fc.assert(
    fc.property(models, ({ cells, w }) => {
      checkGradients((p) => loss(cells, p.tanh()), [w], { order: 2 });
      checkGradients((x) => plain(x.tanh(), w), [cells], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("domainAdversarialLoss() is finite for extreme cells", () => {
  const w = f64([[1, -1, 2], [-3, 2, 1]]);
  for (const dtype of ["float32", "float64"] as const) {
    const cells = f64([[1e4, -1e4], [0, 0], [-1e4, 1e4]]).cast(dtype);
    assertFinite((x, p) => loss(x, p), [cells, w.cast(dtype)]);
  }
});

const identity = { discriminator: (x: Tensor) => x };

testMisuse("domainAdversarialLoss", [
  [
    "a missing discriminator",
    () => domainAdversarialLoss([[1, 2]], [0], {} as never),
    TypeError,
    "Cannot compute domainAdversarialLoss as discriminator must be a function from embeddings to " +
    "logits: current value is undefined",
  ],
  [
    "missing options",
    () => (domainAdversarialLoss as (...args: unknown[]) => unknown)([[1, 2]], [0]),
    TypeError,
    "Cannot compute domainAdversarialLoss as discriminator must be a function from embeddings to " +
    "logits: current value is undefined",
  ],
  [
    "a discriminator that returns no tensor",
    () => domainAdversarialLoss([[1, 2]], [0], { discriminator: () => 1 as never }),
    TypeError,
    "Cannot compute domainAdversarialLoss as discriminator must return a tensor of logits: " +
    "current value is 1",
  ],
  [
    "logits of another number of cells",
    () => domainAdversarialLoss([[1, 2]], [0], { discriminator: (x) => x.sum({ axis: 0 }) }),
    TypeError,
    "Cannot compute domainAdversarialLoss as the discriminator's result must have the shape " +
    "[1, batches]: current shape is [2]",
  ],
  [
    "embeddings that are no matrix",
    () => domainAdversarialLoss([1, 2], [0], identity),
    TypeError,
    "Cannot compute domainAdversarialLoss as cellEmbeddings must have the shape " +
    "[cells, features]: current shape is [2]",
  ],
  [
    "another number of labels",
    () => domainAdversarialLoss([[1, 2]], [0, 1], identity),
    TypeError,
    "Cannot compute domainAdversarialLoss as cellEmbeddings and batchLabels must have the same " +
    "number of cells: current values are 1 and 2",
  ],
  [
    "labels that are no vector",
    () => domainAdversarialLoss([[1, 2]], [[0]], identity),
    TypeError,
    "Cannot compute domainAdversarialLoss as batchLabels must have the shape [cells]: " +
    "current shape is [1, 1]",
  ],
  [
    "labels that are not whole",
    () => domainAdversarialLoss([[1, 2]], [0.5], identity),
    TypeError,
    "Cannot compute domainAdversarialLoss as batchLabels must be whole numbers (int32): " +
    "current value at position 0 is 0.5",
  ],
  [
    "a label that names no logit",
    () => domainAdversarialLoss([[1, 2]], [2], identity),
    RangeError,
    "Cannot compute domainAdversarialLoss as batchLabels must be in [0, 1]: " +
    "current value at position 0 is 2",
  ],
  [
    "a negative scale",
    () => domainAdversarialLoss([[1, 2]], [0], { ...identity, scale: -1 }),
    RangeError,
    "Cannot compute domainAdversarialLoss as scale must be a finite number at least 0: " +
    "current value is -1",
  ],
  [
    "an unknown option",
    () => domainAdversarialLoss([[1, 2]], [0], { ...identity, lambda: 1 } as never),
    TypeError,
    "Cannot compute domainAdversarialLoss as there is no option lambda: did you mean " +
    "scale? The options are discriminator, scale",
  ],
]);
