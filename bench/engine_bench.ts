/**
 * What does the engine cost per operation, at which size, and how does a whole step add up?
 *
 * "op, tape and gradient" is one link of a chain of products: the operation, its entry on the tape
 * and its gradient rule, the whole chain divided by its length.
 *
 * @module
 */
import { adam, crossEntropyLoss, type Tensor, tensor, valueAndGrad } from "@cellgrad/cellgrad";
import { key, normal, split } from "@cellgrad/cellgrad/random";

const SIZES: [string, number][] = [["16", 16], ["1k", 1 << 10], ["64k", 1 << 16], ["1M", 1 << 20]];

function numbers(size: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: size }, (_, i) => 1 + 1e-3 * Math.sin(i));
}

/** The loop that a user would write by hand, with a fresh output. */
function multiplyByHand(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i]! * b[i]!;
  return out;
}

for (const [name, size] of SIZES) {
  const [x, y] = [tensor(numbers(size)), tensor(numbers(size))];
  const [a, b] = [numbers(size), numbers(size)];
  const group = `elementwise, ${name} float32`;
  Deno.bench({ name: `product by hand, ${name}`, group, baseline: true }, () => {
    multiplyByHand(a, b);
  });
  Deno.bench({ name: `mul, ${name}`, group }, () => {
    x.mul(y);
  });
  Deno.bench({ name: `add of a number, ${name}`, group }, () => {
    x.add(1);
  });
  Deno.bench({ name: `exp, ${name}`, group }, () => {
    x.exp();
  });
  // The figures are for all links of the chain together.
  const links = size === 1 << 20 ? 10 : 100;
  const chain = valueAndGrad((z: Tensor) => {
    let product = z;
    for (let i = 0; i < links; i++) product = product.mul(y);
    return product.sum();
  });
  Deno.bench({ name: `${links} × op, tape and gradient, ${name}`, group: `tape, ${name}` }, () => {
    chain(x);
  });
}

const [logitsKey, weightKey, inputKey, outputKey] = split(key(0), 4) as [
  Tensor,
  Tensor,
  Tensor,
  Tensor,
];
const logits = normal(logitsKey, [4096, 20]);
const labels = Int32Array.from({ length: 4096 }, (_, i) => i % 20);
const crossEntropy = valueAndGrad((z: Tensor) => crossEntropyLoss(z, labels));
Deno.bench({ name: "cross entropy 4096×20, value and gradient", group: "losses" }, () => {
  crossEntropy(logits);
});

type Params = { w1: Tensor; b1: Tensor; w2: Tensor; b2: Tensor };
const cells = normal(inputKey, [256, 2000]);
const types = Int32Array.from({ length: 256 }, (_, i) => i % 20);
const optimizer = adam({ learningRate: 1e-3 });
const objective = valueAndGrad((p: Params) => {
  const hidden = cells.matmul(p.w1).add(p.b1).relu();
  return crossEntropyLoss(hidden.matmul(p.w2).add(p.b2), types);
});
let params: Params = {
  w1: normal(weightKey, [2000, 128]).mul(0.03),
  b1: tensor(new Float32Array(128)),
  w2: normal(outputKey, [128, 20]).mul(0.1),
  b2: tensor(new Float32Array(20)),
};
let state = optimizer.init(params);
Deno.bench({
  name: "MLP step, batch 256, 2000→128→20, Adam",
  group: "training",
}, () => {
  const [, gradient] = objective(params);
  ({ params, state } = optimizer.update(gradient, state, params));
});
