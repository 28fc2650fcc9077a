/** What to do when a loss is no number any more: stop, say where it began, and what helps. */
import { type Tensor, valueAndGrad } from "@cellgrad/cellgrad";
import { UsageError } from "../arguments.ts";

/** What a loss of a training returns, as the objectives of `@cellgrad/cellgrad/losses` do. */
export interface LossParts {
  /** What is minimised: a scalar. */
  total: Tensor;
  /** What it is made of, by name: scalars. */
  parts: { readonly [name: string]: Tensor | undefined };
  /** Branches of the parameters that are no result of learning, such as running statistics, anew. */
  kept?: { readonly [branch: string]: object | undefined };
}

/** A training stopped, as its loss or gradient became NaN or infinite. */
export class DivergedError extends UsageError {
  override name = "DivergedError";
}

/** Where it happened. */
export interface Divergence<P, B> {
  epoch: number;
  /** The step within the epoch, from 1. */
  step: number;
  /** The loss; where it is finite, the gradient was not. */
  total: number;
  loss: (parameters: P, batch: B) => LossParts;
  /** The parameters before the step. */
  parameters: P;
  batch: B;
}

/**
 * The error for a step whose loss or gradient is not finite. The step is repeated eagerly with
 * `checkNaN`, which names the operation that made the first NaN; the advice is that of the
 * segmentation guide.
 */
export function diagnose<P, B>(divergence: Divergence<P, B>): DivergedError {
  const { epoch, step, total } = divergence;
  const what = Number.isFinite(total)
    ? "the gradient became infinite or NaN"
    : `the loss became ${total}`;
  return new DivergedError(
    `Training stopped in epoch ${epoch}, step ${step}, as ${what}. ${origin(divergence)}. Try a ` +
      `smaller learning rate (a tenth), clip gradients (to a norm of 1), or, for Dice, Tversky and ` +
      `other ratios, use a larger smoothing`,
  );
}

function origin<P, B>({ loss, parameters, batch }: Divergence<P, B>): string {
  const objective = (p: unknown) => loss(p as P, batch).total;
  try {
    valueAndGrad(objective as (p: Tensor) => Tensor, { checkNaN: true })(parameters as Tensor);
    return "No operation made a NaN: a value grew beyond the largest number";
  } catch (error) {
    return (error as Error).message;
  }
}
