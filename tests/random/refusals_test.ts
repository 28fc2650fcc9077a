import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import * as random from "../../src/random.ts";
import type { Shape } from "../../src/shape.ts";
import type { TensorLike } from "../../src/tensor.ts";

const k = random.key(0);
const unit = [[1, 0], [0, 1]];

/** All samplers as functions of what they draw the shape of, by what they are called and what it is. */
const BY_SHAPE: [keyof typeof random, (shape: Shape) => unknown][] = [
  ["uniform", (shape) => random.uniform(k, shape)],
  ["normal", (shape) => random.normal(k, shape)],
  ["truncatedNormal", (shape) => random.truncatedNormal(k, shape)],
  ["exponential", (shape) => random.exponential(k, shape)],
  ["laplace", (shape) => random.laplace(k, shape)],
  ["gumbel", (shape) => random.gumbel(k, shape)],
  ["gamma", (shape) => random.gamma(k, 1, { shape })],
  ["beta", (shape) => random.beta(k, 1, 1, { shape })],
  ["dirichlet", (shape) => random.dirichlet(k, [1, 1, 1], { shape })],
  ["multivariateNormal", (shape) => random.multivariateNormal(k, [0, 0], unit, { shape })],
  ["bernoulli", (shape) => random.bernoulli(k, 0.5, { shape })],
  ["categorical", (shape) => random.categorical(k, [0, 0], { shape })],
  ["poisson", (shape) => random.poisson(k, 1, { shape })],
  ["integers", (shape) => random.integers(k, 0, 5, { shape })],
  ["choice", (shape) => random.choice(k, 5, { shape })],
  ["choice", (shape) => random.choice(k, 2, { shape, weights: [1, 1] })],
];

Deno.test("samplers refuse to draw too many numbers at once, by their own names", () => {
  const others = ["key", "split", "foldIn", "permutation"];
  assertEquals(
    new Set([...BY_SHAPE.map(([name]) => name), ...others]),
    new Set(Object.keys(random)),
  );
  for (const [name, draw] of BY_SHAPE) {
    for (const shape of [[1e9], [2 ** 29 + 1], [1e5, 1e5], [2 ** 40]]) {
      const { message } = assertThrows(() => draw(shape), RangeError);
      assertStringIncludes(
        message,
        `Cannot compute ${name} as at most 536870912 numbers are drawn`,
      );
      assertStringIncludes(message, `current shape is [${shape.join(", ")}]; split the key`);
    }
  }
  assertEquals(
    assertThrows(() => random.choice(k, 1e9, { replace: false }), RangeError).message,
    "Cannot compute choice as n must be a whole number at least 1 and at most 536870912: " +
      "current value is 1000000000",
  );
});

/** All samplers as functions of a parameter, by what both are called. */
const BY_PARAMETER: [keyof typeof random, string, (x: TensorLike) => unknown][] = [
  ["uniform", "min", (min) => random.uniform(k, [2], { min })],
  ["uniform", "max", (max) => random.uniform(k, [2], { max })],
  ["normal", "mean", (mean) => random.normal(k, [2], { mean })],
  ["normal", "standardDeviation", (x) => random.normal(k, [2], { standardDeviation: x })],
  ["truncatedNormal", "low", (low) => random.truncatedNormal(k, [2], { low })],
  ["gamma", "concentration", (x) => random.gamma(k, x)],
  ["gamma", "scale", (scale) => random.gamma(k, 1, { scale })],
  ["beta", "a", (a) => random.beta(k, a, 1)],
  ["beta", "b", (b) => random.beta(k, 1, b)],
  ["dirichlet", "concentration", (x) => random.dirichlet(k, x)],
  ["multivariateNormal", "mean", (mean) => random.multivariateNormal(k, mean, unit)],
  ["multivariateNormal", "covariance", (x) => random.multivariateNormal(k, [0, 0], x)],
  ["bernoulli", "probability", (x) => random.bernoulli(k, x)],
  ["categorical", "logits", (x) => random.categorical(k, x)],
  ["poisson", "rate", (x) => random.poisson(k, x)],
  ["integers", "low", (low) => random.integers(k, low, 5)],
  ["integers", "high", (high) => random.integers(k, 0, high)],
  ["choice", "weights", (weights) => random.choice(k, 2, { weights })],
  ["permutation", "x", (x) => random.permutation(k, x)],
];

Deno.test("samplers refuse what is no tensor, by their own names and those of their parameters", () => {
  for (const [name, parameter, draw] of BY_PARAMETER) {
    for (const bad of [null, "x", {}, [["a"]], [[1], [1, 2]], [1n]]) {
      const { message } = assertThrows(() => draw(bad as TensorLike), TypeError);
      assertStringIncludes(message, `Cannot compute ${name} as ${parameter}`);
    }
  }
});
