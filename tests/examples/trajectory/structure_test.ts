import { assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { batchEntropy } from "@cellgrad/cellgrad/metrics";
import { tensor } from "@cellgrad/cellgrad";
import { embed } from "../../../examples/lib/trajectory/figures.ts";
import { simulateBatches } from "../../../examples/lib/trajectory/batches.ts";
import { STRUCTURE_VARIANTS } from "../../../examples/lib/trajectory/structure.ts";
import { simulatedTrajectory } from "../../../examples/lib/trajectory/cells.ts";

Deno.test("simulateBatches() makes batches that lie apart before training", () => {
  const { inputs, batches, types, typeCount, batchCount } = simulateBatches(180, 0);
  assertEquals([inputs.shape[0], typeCount, batchCount], [180, 4, 3]);
  assertLess(batchEntropy(inputs, batches, { nNeighbors: 15, normalize: true }), 0.7);
  assertEquals(new Set(types).size, 4);
});

Deno.test("each wrong variant turns one sign of the right one", () => {
  const right = STRUCTURE_VARIANTS.find(({ id }) => id === "right")!.weights;
  for (const { id, weights } of STRUCTURE_VARIANTS) {
    if (id === "none" || id === "right") continue;
    const turned = Object.keys(right).filter((name) =>
      weights[name as keyof typeof weights] === -right[name as keyof typeof right]
    );
    assertEquals(turned, [id]);
  }
});

Deno.test("embed() gives an orthonormal plane in which the fates lie apart", () => {
  const cells = simulatedTrajectory(400, 3);
  const { plane, points } = embed(cells);
  const product = plane.matmul(plane.transpose());
  for (const [i, value] of [1, 0, 0, 1].entries()) {
    assertAlmostEquals(product.data[i]!, value, 1e-5);
  }
  const ends = [0, 1, 2, 3].map((fate) => {
    const arrived = [...points.keys()].filter((cell) =>
      cells.labels[cell] === fate && cells.time[cell]! > 0.9
    );
    return tensor(arrived.map((cell) => [...points[cell]!])).mean({ axis: 0 });
  });
  for (const [i, a] of ends.entries()) {
    for (const b of ends.slice(i + 1)) assertGreater(a.sub(b).norm().item(), 1.5);
  }
});
