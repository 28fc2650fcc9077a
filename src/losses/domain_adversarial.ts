/**
 * Domain adversarial training against batch effects.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { checkLabels } from "../labels.ts";
import { floating } from "../ops/elementwise.ts";
import { gradientReversal, mean } from "../ops/mod.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { readCellLabels, readCells } from "./cells.ts";
import { negLogLikelihood } from "./class_logits.ts";
import { checkAxes, checkNumber, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode domainAdversarialLoss}. */
export interface DomainAdversarialOptions {
  /** From embeddings (n, d) to the logits of the batches (n, K). Required. */
  discriminator: (x: Tensor) => Tensor;
  /** The factor λ of the reversed gradient, at least 0; 1 by default. */
  scale?: number | undefined;
}

/**
 * Domain adversarial loss (DAB, or DAR): a discriminator learns to tell the batches apart by the
 * embeddings, and the encoder before it, whose gradient is reversed, learns to make that impossible.
 * One minimisation trains both. The value is the discriminator's mean cross entropy, at least 0;
 * log K where this discriminator cannot tell the batches apart: because they are mixed, or because it
 * has learned too little or sees a collapsed embedding. So log K does not show that batches are mixed;
 * `lisi` of the embedding does.
 *
 * `L = mean_i CE(discriminator(reverse_λ(e_i)), batch_i)`
 *
 * The parameters of the discriminator get the ordinary gradient; what goes back to the embeddings is
 * multiplied by −λ. With λ = 0 nothing goes back, and the discriminator only watches. A
 * check of the gradient by differences has to turn the sign.
 *
 * The discriminator of scGPT is twice a linear layer, {@linkcode leakyRelu} with slope 0.01 and
 * {@linkcode layerNorm}, and a linear layer at last; its λ is 1, and the weight of this loss is 1.
 *
 * Source: Ganin & Lempitsky 2015 (arXiv:1409.7495); scGPT and scFormer `model/grad_reverse.py`,
 * `AdversarialDiscriminator`.
 *
 * @param cellEmbeddings (n, d): one embedding per cell.
 * @param batchLabels (n), whole numbers in [0, K), K being the discriminator's number of logits.
 * @param options `discriminator`, required; `scale`, λ, 1 by default.
 * @returns The loss, a scalar.
 * @throws {TypeError} If the embeddings are no matrix, the numbers of cells differ, the discriminator
 * is no function or does not return (n, K) logits, or an option does not exist.
 * @throws {RangeError} If a label names no logit, or `scale` is negative.
 *
 * @example The gradient of the embedding, −1 by the discriminator, comes back as 2
 * ```ts
 * import { grad, type Tensor } from "@cellgrad/cellgrad";
 * import { domainAdversarialLoss } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const discriminator = (x: Tensor) => x.matmul([[1, -1]]);
 * const loss = (x: Tensor) => domainAdversarialLoss(x, [0], { discriminator, scale: 2 });
 * assertEquals(grad(loss)([[0]]).toArray(), [[2]]);
 * ```
 */
export function domainAdversarialLoss(
  cellEmbeddings: TensorLike,
  batchLabels: TensorLike,
  options: DomainAdversarialOptions,
): Tensor {
  if (arguments.length > 3) refuseMore("domainAdversarialLoss", "options", 3, arguments);
  const caller = "domainAdversarialLoss";
  const { discriminator, scale } = readOptions(
    caller,
    options === undefined ? {} as never : options,
    {
      discriminator: undefined as never,
      scale: 1,
    },
  ) as Required<DomainAdversarialOptions>;
  checkNumber(caller, "scale", scale, { min: 0 });
  if (typeof discriminator !== "function") {
    throw new TypeError(
      `Cannot compute ${caller} as discriminator must be a function from embeddings to logits: ` +
        `current value is ${describe(discriminator)}`,
    );
  }
  const [embeddings] = readCells(caller, { cellEmbeddings: [cellEmbeddings, "features"] });
  const labels = readCellLabels(
    caller,
    { cellEmbeddings: embeddings! },
    "batchLabels",
    batchLabels,
  );
  const logits = discriminator(gradientReversal(embeddings!, { scale }));
  if (!(logits instanceof Tensor)) {
    throw new TypeError(
      `Cannot compute ${caller} as discriminator must return a tensor of logits: ` +
        `current value is ${describe(logits)}`,
    );
  }
  checkAxes(caller, "the discriminator's result", logits, [embeddings!.shape[0]!, "batches"]);
  const batches = checkLabels(caller, labels, logits.shape[1]!, { argument: "batchLabels" });
  return mean(negLogLikelihood(floating(logits), batches));
}
