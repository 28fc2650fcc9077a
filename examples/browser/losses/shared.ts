/** What losses share: what they are given, and parameters that mean the same in each. */
import { classWeights, type Tensor } from "@cellgrad/cellgrad";
import { defineLoss, type Sizes, type Unlisted } from "../loss_entry.ts";
import { choice, flag, number, type Parameters, type ValuesOf } from "../parameters.ts";

/** A logit for each type. */
export const logits = ({ classes }: Sizes): { logits: number } => ({ logits: classes });
/** The embedding of each cell. */
export const embedding = ({ embedding }: Sizes): { embedding: number } => ({ embedding });
/** A logit for each of as many clusters as there are types. */
export const clusters = ({ classes }: Sizes): { clusters: number } => ({ clusters: classes });
/** A value for each gene. */
export const predicted = ({ genes }: Sizes): { predicted: number } => ({ predicted: genes });
/** The distribution of each cell's code. */
export const codes = ({ embedding }: Sizes): { mean: number; logVariance: number } => ({
  mean: embedding,
  logVariance: embedding,
});

/** A code that is drawn from its normal distribution. */
export function drawCode(mean: Tensor, logVariance: Tensor, noise: Tensor): Tensor {
  return mean.add(logVariance.mul(0.5).exp().mul(noise));
}

/** How the losses of cells, or of something else, become one. */
export const reductionOf = (what: string): ReturnType<typeof choice<["mean", "sum"]>> =>
  choice(["mean", "sum"], `How the losses of ${what} become one number`);
export const REDUCTION: ReturnType<typeof reductionOf> = reductionOf("cells");

const WEIGHTINGS = ["none", "plain", "balanced", "meanOne"] as const;

/** How types are weighed. */
export const WEIGHTING: ReturnType<typeof choice<typeof WEIGHTINGS>> = choice(
  WEIGHTINGS,
  "Weights of the types by how rare they are, as classWeights() scales them",
);

/** The exponent of focal losses. */
export const GAMMA: ReturnType<typeof number<number>> = number(
  2,
  { min: 0 },
  "How strongly easy cells are turned down",
);

/** Which p_t focal losses take. */
export const PT_FROM_WEIGHTED: ReturnType<typeof flag> = flag(
  false,
  "Whether p_t is taken from the weighted cross entropy",
);

/** A loss of logits and the types of cells. */
export function ofTypes<const P extends Parameters>(
  about: string,
  parameters: P,
  loss: (logits: Tensor, labels: Tensor, options: ValuesOf<P>) => Tensor,
): Unlisted {
  return defineLoss({
    about,
    parameters,
    outputs: logits,
    compute: ({ outputs, cells }, options) => loss(outputs.logits, cells.labels, options),
  });
}

/** A loss with the weights of types that a choice of {@linkcode WEIGHTING} stands for. */
export function weighed<O extends { weight: typeof WEIGHTINGS[number] }>(
  loss: (
    logits: Tensor,
    labels: Tensor,
    options: Omit<O, "weight"> & { weight: Tensor | undefined },
  ) => Tensor,
): (logits: Tensor, labels: Tensor, options: O) => Tensor {
  return (logits, labels, { weight: normalization, ...options }) => {
    const counts = new Array<number>(logits.shape[1]!).fill(0);
    for (const label of labels.data) counts[label]!++;
    const weight = normalization === "none" ? undefined : classWeights(counts, { normalization });
    return loss(logits, labels, { ...options, weight });
  };
}

/** A loss of two views of every cell. */
export function ofViews<const P extends Parameters>(
  about: string,
  parameters: P,
  loss: (first: Tensor, second: Tensor, options: ValuesOf<P>) => Tensor,
): Unlisted {
  return defineLoss({
    about,
    parameters,
    outputs: embedding,
    twoViews: true,
    compute: ({ outputs, second }, options) => loss(outputs.embedding, second.embedding, options),
  });
}
