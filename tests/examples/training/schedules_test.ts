import { assertAlmostEquals, assertEquals } from "@std/assert";
import { tensor } from "@cellgrad/cellgrad";
import { sgd } from "@cellgrad/cellgrad/optim";
import { decayPerEpoch, train } from "../../../examples/lib/training/mod.ts";
import { lineTraining } from "./toy.ts";

Deno.test("decayPerEpoch() multiplies the rate after every epoch", () => {
  const schedule = decayPerEpoch(1, { factor: 0.5, stepsPerEpoch: 4, epochs: 3 });
  const rates = [0, 3, 4, 7, 8, 11, 40].map((step) => {
    const now = tensor(step, { dtype: "int32" });
    const rate = typeof schedule === "number" ? schedule : schedule(now);
    return typeof rate === "number" ? rate : rate.item();
  });
  assertEquals(rates, [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]);
});

Deno.test("decayPerEpoch() decides how far a compiled training moves", async () => {
  const slopes: number[] = [0];
  const learningRate = decayPerEpoch(1, { factor: 0.5, stepsPerEpoch: 4, epochs: 3 });
  await train({
    ...lineTraining(),
    epochs: 3,
    optimizer: sgd({ learningRate }),
    loss: ({ slope, offset }) => ({ total: slope.sub(offset.mul(0)), parts: {} }),
    evaluate({ slope }) {
      slopes.push(slope.item());
      return {};
    },
  });
  slopes.slice(1).forEach((slope, i) => assertAlmostEquals(slope - slopes[i]!, -4 * 0.5 ** i));
});
