/** z-scores, limited in size as scanpy's tutorials do. */
import type { Tensor } from "@cellgrad/cellgrad";
import { scale } from "@cellgrad/cellgrad/data";

/** The largest z-score. */
export const LARGEST_SCORE = 10;

/** The z-scores of what is learned from, and of what is held out by the same means and spreads. */
export function scaleBoth(seen: Tensor, heldOut: Tensor): { seen: Tensor; heldOut: Tensor } {
  const { values, mean, standardDeviation } = scale(seen, { maxValue: LARGEST_SCORE });
  const same = { mean, standardDeviation, maxValue: LARGEST_SCORE };
  return { seen: values, heldOut: scale(heldOut, same).values };
}
