/** Mask and predict: some values are hidden from a model, which learns by guessing them. */
import { type Tensor, tensor, where } from "@cellgrad/cellgrad";
import { bernoulli } from "@cellgrad/cellgrad/random";

export interface MaskOptions {
  /** The probability that a value is hidden, from 0 to 1; 0.4 by default, as in scGPT. */
  ratio?: number;
  /** Whether all values may be hidden, or those above 0 only; `"all"` by default. */
  among?: "all" | "expressed";
  /** What stands in place of a hidden value; −1 by default, as in scGPT. */
  maskValue?: number;
}

export interface Masked {
  /** The values, `maskValue` where they are hidden. */
  visible: Tensor;
  /** Which ones are hidden: the mask for `maskedMseLoss` and its siblings. */
  mask: Tensor;
}

/**
 * Hides values of any shape at random, each one independently. (scGPT hides exactly `ratio` of each
 * cell's.)
 */
export function maskValues(key: Tensor, values: Tensor, options: MaskOptions = {}): Masked {
  const { ratio = 0.4, among = "all", maskValue = -1 } = options;
  const chances = among === "all" ? tensor(ratio) : where(values.greater(0), ratio, 0);
  const mask = bernoulli(key, chances, { shape: values.shape });
  return { visible: where(mask, maskValue, values), mask };
}
