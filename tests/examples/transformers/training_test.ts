/** scGPT and scFormer learn under their objectives. */
import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import { type Tensor, tensor, valueAndGrad } from "@cellgrad/cellgrad";
import { scformerObjective, scgptObjective } from "@cellgrad/cellgrad/losses";
import { adam } from "@cellgrad/cellgrad/optim";
import { foldIn, key, uniform } from "@cellgrad/cellgrad/random";
import { initScformer, scformer } from "../../../examples/lib/scformer.ts";
import { initScgpt, scgpt } from "../../../examples/lib/scgpt.ts";

const SIZES = { vocabulary: 7, dModel: 8, heads: 2, feedForward: 8, layers: 1 };
const genes = tensor(Int32Array.from({ length: 28 }, (_, i) => (i + 6) % 7), { shape: [4, 7] });
const values = uniform(key(8), [4, 7]).mul(3);
const mask = tensor(Int32Array.from({ length: 28 }, (_, i) => i % 7 === 0 ? 0 : i % 2), {
  shape: [4, 7],
});

/** The total and its parts before every step, and the parameters after all. */
function learn<P extends object>(
  start: P,
  loss: (
    params: P,
    step: number,
  ) => { total: Tensor; parts: Record<string, Tensor>; kept?: object },
): { history: Record<string, number>[]; params: P } {
  const optimizer = adam({ learningRate: 0.03 });
  let params = start;
  let state = optimizer.init(params as never);
  const history = Array.from({ length: 12 }, (_, step) => {
    const { parts, kept } = loss(params, step);
    const objective = (p: P) => loss(p, step).total;
    const [total, gradient] = valueAndGrad(objective as never)(params as never);
    const next = optimizer.update(gradient as never, state, params as never);
    state = next.state;
    params = { ...next.params as P, ...kept };
    const numbers = Object.entries({ total: total as Tensor, ...parts });
    return Object.fromEntries(numbers.map(([name, x]) => [name, x.item()]));
  });
  return { history, params };
}

Deno.test("scgpt() learns all terms of scGPT's objective, and its norms move", () => {
  const batchLabels = Int32Array.of(1, 1, 1, 1);
  const start = initScgpt(key(3), { ...SIZES, batches: 2, mvc: true, zeroProbs: true });
  const { history, params } = learn(start, (p, step) => {
    const options = { heads: 2, dropout: 0.1, key: foldIn(key(4), step), training: true };
    const { outputs, dsbn } = scgpt(p, { genes, values, batchLabels }, options);
    const { total, parts } = scgptObjective(outputs, { values, mask, batchLabels });
    return { total, parts: parts as Record<string, Tensor>, kept: { dsbn } };
  });
  const [first, last] = [history[0]!, history.at(-1)!];
  assertEquals(Object.keys(first), [
    ...["total", "mse", "zeroLogProb", "gepc", "gepcZeroLogProb", "ecs", "dab"],
  ]);
  assertLess(last.total!, first.total! - 2);
  for (const part of ["mse", "zeroLogProb", "gepc", "gepcZeroLogProb"]) {
    assertLess(last[part]!, first[part]!);
  }
  const { running_mean } = params.dsbn!.bns["1"]!;
  assert(running_mean.abs().max().item() > 0.05);
  assertEquals(params.dsbn!.bns["0"]!.running_mean.abs().max().item(), 0);
});

Deno.test("scformer() learns all terms of scFormer's objective", () => {
  const flags = tensor(Int32Array.from({ length: 28 }, (_, i) => i % 9 === 2 ? 1 : 0), {
    shape: [4, 7],
  });
  const clsLabels = Int32Array.of(0, 1, 2, 1);
  const terms = { cls: true, cce: true, mvc: true, ecs: true };
  const { history } = learn(initScformer(key(5), { ...SIZES, types: 3, mvc: true }), (p, step) => {
    const options = { heads: 2, dropout: 0.1, key: foldIn(key(6), step), twice: true };
    const outputs = scformer(p, { genes, values, flags }, options);
    const { total, parts } = scformerObjective(outputs, { values, mask, clsLabels }, terms);
    return { total, parts: parts as Record<string, Tensor> };
  });
  const [first, last] = [history[0]!, history.at(-1)!];
  assertEquals(Object.keys(first), ["total", "mse", "cls", "cce", "mvc", "ecs"]);
  for (const part of ["total", "mse", "cls", "mvc"]) assertLess(last[part]!, first[part]!);
});

Deno.test("scgpt() hides padding from all other tokens", () => {
  const params = initScgpt(key(3), { ...SIZES, mvc: true });
  const padded = tensor([[6, 0, 1, 5, 5]], { dtype: "int32" });
  const short = tensor([[6, 0, 1]], { dtype: "int32" });
  const run = (genes: Tensor, values: Tensor) =>
    scgpt(params, { genes, values }, { heads: 2, padding: 5 }).outputs.mlmOutput.data.slice(0, 3);
  const alone = run(short, tensor([[0, 1, 2]]));
  const found = run(padded, tensor([[0, 1, 2, 9, 9]]));
  alone.forEach((value, i) => assertLess(Math.abs(value - found[i]!), 1e-5));
});

Deno.test("scgpt() drops other values for another key, and none without", () => {
  const params = initScgpt(key(3), SIZES);
  const run = (options: object) =>
    String(
      scgpt(params, { genes, values }, { heads: 2, dropout: 0.3, ...options }).outputs.mlmOutput,
    );
  assertEquals(run({}), run({}));
  assertEquals(run({ key: key(1) }), run({ key: key(1) }));
  assertNotEquals(run({ key: key(1) }), run({ key: key(2) }));
});

Deno.test("scgpt() multiplies the discriminator's gradient by −reversal", () => {
  const params = initScgpt(key(3), { ...SIZES, batches: 2 });
  const batchLabels = Int32Array.of(0, 0, 0, 0);
  const gradient = (reversal: number) => {
    const loss = (p: typeof params) =>
      scgpt(p, { genes, values, batchLabels }, { heads: 2, reversal }).outputs.dabLogits as Tensor;
    const value = (p: typeof params) => loss(p).square().sum();
    return valueAndGrad(value as never)(params as never)[1] as unknown as typeof params;
  };
  const [one, two] = [gradient(1), gradient(2)];
  const of = ({ decoder: _, grad_reverse_discriminator: d, encoder }: typeof params) =>
    [d!.out_layer.weight, encoder.embedding.weight] as const;
  assertEquals(of(one)[0].toArray(), of(two)[0].toArray());
  assertLess(of(one)[1].mul(2).sub(of(two)[1]).abs().max().item(), 1e-5);
  assert(of(one)[1].abs().max().item() > 0);
});
