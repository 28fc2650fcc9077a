import { assert, assertEquals } from "@std/assert";
import { type Tensor, tensor } from "../../src/tensor.ts";
import {
  adagrad,
  adam,
  adamw,
  clipByGlobalNorm,
  cosine,
  exponentialDecay,
  globalNorm,
  lamb,
  lion,
  nadam,
  type Optimizer,
  polynomialDecay,
  rmsprop,
  sgd,
  step,
  warmup,
} from "../../src/optim/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import fixture from "./torch.json" with { type: "json" };

interface Params {
  w: Tensor;
  b: Tensor;
}

const TOLERANCE = { rtol: 1e-12, atol: 1e-12 };

function params(values: { w: number[]; b: number[] }, dtype: "float32" | "float64"): Params {
  return { w: tensor(values.w, { dtype }), b: tensor(values.b, { dtype }) };
}

function run(optimizer: Optimizer, dtype: "float32" | "float64"): Params[] {
  let current = params(fixture.start, dtype);
  let state = optimizer.init(current);
  return fixture.grads.map((grads) => {
    ({ params: current, state } = optimizer.update(params(grads, dtype), state, current));
    return current;
  });
}

function make(name: string, options: { learningRate: number }): Optimizer {
  return { sgd, adam, adamw, rmsprop, adagrad, nadam, lion, lamb }[name]!(options);
}

for (const { optimizer, options, path } of fixture.trajectories) {
  Deno.test(`${optimizer}() follows PyTorch with ${JSON.stringify(options)}`, () => {
    run(make(optimizer, options), "float64").forEach((found, i) => {
      assertAllClose(found.w, path[i]!.w, TOLERANCE);
      assertAllClose(found.b, path[i]!.b, TOLERANCE);
    });
  });

  Deno.test(`${optimizer}() follows PyTorch in float32 with ${JSON.stringify(options)}`, () => {
    run(make(optimizer, options), "float32").forEach((found, i) => {
      assertEquals([found.w.dtype, found.b.dtype], ["float32", "float32"]);
      assertAllClose(found.w, path[i]!.w, { rtol: 2e-6, atol: 2e-6 });
      assertAllClose(found.b, path[i]!.b, { rtol: 2e-6, atol: 2e-6 });
    });
  });
}

Deno.test("adam() follows PyTorch under a schedule", () => {
  const learningRate = step(0.4, { milestones: [3, 7], factor: 0.5 });
  run(adam({ learningRate }), "float64").forEach((found, i) => {
    assertAllClose(found.w, fixture.scheduled[i]!.w, TOLERANCE);
    assertAllClose(found.b, fixture.scheduled[i]!.b, TOLERANCE);
  });
});

const steps = tensor(Float64Array.from({ length: 11 }, (_, i) => i));

Deno.test("cosine() gives PyTorch's CosineAnnealingLR", () => {
  const rates = cosine(0.4, { steps: 10, final: 0.05 })(steps);
  assertAllClose(rates, fixture.schedules.cosine, TOLERANCE);
});

Deno.test("step() gives PyTorch's MultiStepLR", () => {
  const rates = step(0.4, { milestones: [3, 4, 8], factor: 0.25 })(steps);
  assertAllClose(rates, fixture.schedules.step, TOLERANCE);
});

Deno.test("exponentialDecay() gives PyTorch's ExponentialLR", () => {
  const rates = exponentialDecay(0.4, { factor: 0.7 })(steps);
  assertAllClose(rates, fixture.schedules.exponential, TOLERANCE);
});

Deno.test("polynomialDecay() gives PyTorch's PolynomialLR", () => {
  const rates = polynomialDecay(0.4, { steps: 8, power: 2 })(steps);
  assertAllClose(rates, fixture.schedules.polynomial, TOLERANCE);
});

Deno.test("warmup() gives PyTorch's LambdaLR with a linear factor", () => {
  assertAllClose(warmup(0.4, { steps: 5 })(steps), fixture.schedules.warmup, TOLERANCE);
});

Deno.test("clipByGlobalNorm() gives PyTorch's clip_grad_norm_ but for its 1e-6", () => {
  for (const { maxNorm, norm, grads } of fixture.clipped) {
    const given = params(fixture.grads[0]!, "float64");
    const clipped = clipByGlobalNorm(given, maxNorm);
    assertAllClose(globalNorm(given), norm, TOLERANCE);
    assertAllClose(clipped.w, grads.w, { rtol: 1e-6, atol: 0 });
    assertAllClose(clipped.b, grads.b, { rtol: 1e-6, atol: 0 });
    assert(globalNorm(clipped).item() <= maxNorm * (1 + 1e-12));
  }
});
