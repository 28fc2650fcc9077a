import { grad, type Tensor, tensor, zeros } from "@cellgrad/cellgrad";
import { signedDistance } from "@cellgrad/cellgrad/data";
import { boundaryLoss } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { classCases, FEW_RUNS, floats, gridNumbers, permutations, RUNS } from "../arbitraries.ts";
import golden from "../golden/boundary.json" with { type: "json" };
import { GOLDEN_FUNCTIONS } from "../golden/functions.ts";
import { checkGolden } from "../golden/golden.ts";
import { assertFinite, assertSame, testMisuse } from "./laws.ts";

/** Logits, and maps of any distances. */
const cases = classCases().chain(({ logits }) =>
  fc.record({ logits: fc.constant(logits), maps: floats(logits.shape, -9, 9) })
);

Deno.test("boundaryLoss() agrees with the golden vectors", () => {
  checkGolden(golden, GOLDEN_FUNCTIONS.boundary!);
});

Deno.test("boundaryLoss() is linear in the probabilities", () => {
  fc.assert(
    fc.property(cases, gridNumbers(0, 1), ({ logits, maps }, share) => {
      const [p, q] = [logits, logits.flip({ axis: 1 })].map((z) => z.softmax({ axis: 1 })) as [
        Tensor,
        Tensor,
      ];
      const between = boundaryLoss(p.mul(share).add(q.mul(1 - share)).log(), maps);
      const [first, second] = [p, q].map((x) => boundaryLoss(x.log(), maps)) as [Tensor, Tensor];
      assertAllClose(between, first.mul(share).add(second.mul(1 - share)), { atol: 1e-11 });
    }),
    RUNS,
  );
});

Deno.test("boundaryLoss() is linear in the distances, and shifts with them", () => {
  fc.assert(
    fc.property(cases, gridNumbers(-5, 5), ({ logits, maps }, by) => {
      const loss = boundaryLoss(logits, maps);
      assertAllClose(boundaryLoss(logits, maps.mul(by)), loss.mul(by), { atol: 1e-11 });
      const classes = logits.shape[1]!;
      assertAllClose(boundaryLoss(logits, maps.add(by)), loss.add(by / classes), { atol: 1e-11 });
    }),
    RUNS,
  );
});

Deno.test("boundaryLoss() does not depend on the order of the batch, nor on names of classes", () => {
  const shuffled = cases.chain((c) =>
    fc.tuple(
      fc.constant(c),
      permutations(c.logits.shape[0]!),
      permutations(c.logits.shape[1]!),
    )
  );
  fc.assert(
    fc.property(shuffled, ([{ logits, maps }, order, names]) => {
      const loss = boundaryLoss(logits, maps);
      assertSame(boundaryLoss(logits.gather(order), maps.gather(order)), loss);
      const renamed = [logits, maps].map((x) => x.gather(names, { axis: 1 })) as [Tensor, Tensor];
      assertSame(boundaryLoss(...renamed), loss);
    }),
    RUNS,
  );
});

Deno.test("boundaryLoss() is least for the labels that the maps are of", () => {
  const labels = [[[0, 0, 0], [0, 1, 1]]];
  const maps = signedDistance(labels, 2);
  const certain = (mask: number[][]) => {
    const own = tensor([mask]).sub(0.5).mul(999);
    return own.expandDims(1).mul(tensor([-1, 1], { shape: [1, 2, 1, 1] }));
  };
  const right = boundaryLoss(certain([[0, 0, 0], [0, 1, 1]]), maps).item();
  assertAlmostEquals(right, -maps.abs().mean().item() / 2, 1e-6);
  const near = boundaryLoss(certain([[0, 0, 1], [0, 1, 1]]), maps).item();
  const far = boundaryLoss(certain([[1, 0, 0], [0, 1, 1]]), maps).item();
  assertLess(right, near);
  assertLess(near, far);
});

Deno.test("boundaryLoss() has the right first and second derivatives", () => {
  fc.assert(
    fc.property(cases, ({ logits, maps }) => {
      checkGradients(boundaryLoss, [logits, maps], { order: 2 });
    }),
    FEW_RUNS,
  );
});

Deno.test("boundaryLoss() keeps the gradient of each class", () => {
  const slope = grad((z: Tensor) => boundaryLoss(z, [[-2, 4]]))([[0, 0]]);
  assertEquals(slope.toArray(), [[-0.75, 0.75]]);
});

Deno.test("boundaryLoss() is finite for logits of ±1e4", () => {
  const logits = tensor([[1e4, -1e4, 0], [1e4, 1e4, 1e4]]);
  assertFinite((z) => boundaryLoss(z, [[-1, 2, 3], [4, -5, 6]]), [logits]);
});

Deno.test("boundaryLoss() of nothing is 0", () => {
  assertEquals(boundaryLoss(zeros([0, 2, 3]), zeros([0, 2, 3])).item(), 0);
});

testMisuse("boundaryLoss", [
  [
    "labels in place of maps",
    () => boundaryLoss(zeros([1, 2, 3]), zeros([1, 3])),
    TypeError,
    "Cannot compute boundaryLoss as logits and distanceMaps must have the same shape: " +
    "current shapes are [1, 2, 3] and [1, 3]",
  ],
  [
    "a single class",
    () => boundaryLoss(zeros([1, 1, 3]), zeros([1, 1, 3])),
    TypeError,
    "Cannot compute boundaryLoss as logits must have the shape [N, C, …spatial] with at least " +
    "two classes: current shape is [1, 1, 3]",
  ],
  [
    "logits without classes",
    () => boundaryLoss(zeros([3]), zeros([3])),
    TypeError,
    "Cannot compute boundaryLoss as logits must have the shape [N, C, …spatial] with at least " +
    "two classes: current shape is [3]",
  ],
  [
    "options, of which there are none",
    () => (boundaryLoss as (...args: unknown[]) => Tensor)([[1, 2]], [[1, 2]], {}),
    TypeError,
    "Cannot compute boundaryLoss as it takes nothing after distanceMaps: current value is an object",
  ],
]);
