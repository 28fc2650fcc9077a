/**
 * Our side: losses and operations as a user calls them, compiled where there is a gradient.
 *
 * @module
 */
import * as cg from "@cellgrad/cellgrad";
import type { Tensor } from "@cellgrad/cellgrad";
import { type Call, type Implementation, type Inputs, makeSide, type Side } from "./side.ts";

/** Inputs as tensors; those of the named types are no floats. */
function tensors(inputs: Inputs, dtypes: Record<string, "int32" | "bool"> = {}): Tensor[] {
  return Object.entries(inputs).map(([name, { shape, data }]) => {
    const numbers = cg.tensor(data, { shape });
    const dtype = dtypes[name];
    if (dtype === undefined) return numbers;
    return dtype === "bool" ? numbers.notEqual(0) : cg.tensor(Int32Array.from(data), { shape });
  });
}

/** The value and gradients of a loss, as a compiled program. */
async function compiled(
  loss: (...args: Tensor[]) => Tensor,
  argnums: number[],
  args: Tensor[],
): Promise<Call> {
  const program = await cg.compile(cg.valueAndGrad(loss, { argnums }), args);
  return async () => {
    const [value, gradients] = await program(...args);
    return [value, ...gradients].map((x) => x.data as Float32Array);
  };
}

function batchMixing(neighbours: (cells: number) => number): Implementation {
  return (inputs) =>
    compiled(
      (cells, batches) =>
        cg.batchMixingLoss(cells!, batches!, { nNeighbors: neighbours(cells!.shape[0]!) }),
      [0],
      tensors(inputs, { batches: "int32" }),
    );
}

type Params = [Tensor, Tensor, Tensor, Tensor];

/** A training step as one program; parameters and optimizer state go in and come out. */
async function mlpStep(inputs: Inputs): Promise<Call> {
  const [cells, types, ...start] = tensors(inputs, { types: "int32" }) as [
    Tensor,
    Tensor,
    ...Params,
  ];
  const optimizer = cg.adam({ learningRate: 1e-3 });
  const loss = ([w1, b1, w2, b2]: Params, x: Tensor, labels: Tensor) =>
    cg.crossEntropyLoss(x.matmul(w1).add(b1).relu().matmul(w2).add(b2), labels);
  let params: Params = start;
  let state = optimizer.init(params);
  const step = (p: Params, s: typeof state, x: Tensor, labels: Tensor) => {
    const [value, gradients] = cg.valueAndGrad(loss)(p, x, labels);
    return { value, ...optimizer.update(gradients, s, p) };
  };
  const program = await cg.compile(step, [params, state, cells, types]);
  return async () => {
    const { value, ...next } = await program(params, state, cells, types);
    ({ params, state } = next);
    return [value.data as Float32Array];
  };
}

const IMPLEMENTATIONS: Readonly<Record<string, Implementation>> = {
  "matmul": (inputs) => {
    const [a, b] = tensors(inputs) as [Tensor, Tensor];
    return () => [a.matmul(b).data as Float32Array];
  },
  "squared distances": (inputs) => {
    const [x] = tensors(inputs) as [Tensor];
    return () => [cg.pairwiseSquaredDistance(x).data as Float32Array];
  },
  "cross entropy": (inputs) =>
    compiled(
      (logits, labels) => cg.crossEntropyLoss(logits!, labels!),
      [0],
      tensors(inputs, { labels: "int32" }),
    ),
  "gaussian mmd": (inputs) => {
    const batches = Object.values(inputs).flatMap(({ shape }, i) => Array(shape[0]!).fill(i));
    return compiled(
      (x, y) => cg.mmdLoss(cg.concat([x!, y!]), batches, { kernel: "rbf" }),
      [0, 1],
      tensors(inputs),
    );
  },
  "batch mixing softmax": batchMixing((cells) => cells - 1),
  "batch mixing topk": batchMixing(() => 15),
  "elastic cell similarity": (inputs) =>
    compiled((cells) => cg.elasticCellSimilarityLoss(cells!), [0], tensors(inputs)),
  "contrastive cell embedding": (inputs) =>
    compiled(
      (first, second) => cg.contrastiveCellEmbeddingLoss(first!, second!),
      [0, 1],
      tensors(inputs),
    ),
  "focal and dice": (inputs) =>
    compiled(
      (logits, labels) => cg.focalDiceLoss(logits!, labels!),
      [0],
      tensors(inputs, { labels: "int32" }),
    ),
  "bernoulli and masked mse": (inputs) =>
    compiled(
      (predictions, probabilities, targets, mask) =>
        cg.maskedMseLoss(predictions!, targets!, mask!)
          .add(cg.negLogBernoulliLoss(probabilities!, targets!, mask!)),
      [0, 1],
      tensors(inputs, { mask: "bool" }),
    ),
  "mlp step": mlpStep,
};

/** cellgrad. */
export const OURS: Side = makeSide("cellgrad", "working copy", IMPLEMENTATIONS);
