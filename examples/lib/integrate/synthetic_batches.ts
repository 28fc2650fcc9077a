/**
 * A batch effect added to cells that have none, so that integration can be tried where the truth is
 * known.
 */
import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { foldIn, normal, permutation } from "@cellgrad/cellgrad/random";

/** How strong the effect is. */
export interface SyntheticBatchOptions {
  batches: number;
  /** The standard deviation of the genes' log-fold changes in a batch. */
  strength: number;
}

/** Cells in batches. */
export interface SyntheticBatches {
  /** (cells, genes): log-normalized expression with the effect. */
  expression: Tensor;
  batches: Int32Array;
}

/**
 * Puts cells into batches at random, and changes each gene of each batch by a factor
 * `exp(strength·z)`, z normal: the effect that `simulateCells` has. The first batch stays as it is,
 * zeros stay zero, and every cell keeps its total. Expression is `log1p` of normalized counts.
 */
export function addBatchEffect(
  key: Tensor,
  expression: Tensor,
  { batches: count, strength }: SyntheticBatchOptions,
): SyntheticBatches {
  const [cells, genes] = expression.shape as [number, number];
  const order = permutation(foldIn(key, 0), cells).data;
  const batches = Int32Array.from(order, (position) => position % count);
  const factors = Array.from({ length: count }, (_, batch) => {
    const shift = batch === 0 ? 0 : strength;
    return normal(foldIn(key, batch + 1), [genes]).mul(shift).exp().data;
  });
  const changed = new Float32Array(cells * genes);
  batches.forEach((batch, cell) => {
    const factor = factors[batch]!;
    let [before, after] = [0, 0];
    for (let g = 0; g < genes; g++) {
      const value = Math.expm1(expression.data[cell * genes + g]!);
      changed[cell * genes + g] = value * factor[g]!;
      before += value;
      after += value * factor[g]!;
    }
    const size = after === 0 ? 0 : before / after;
    for (let g = 0; g < genes; g++) {
      changed[cell * genes + g] = Math.log1p(changed[cell * genes + g]! * size);
    }
  });
  return { expression: tensor(changed, { shape: [cells, genes] }), batches };
}
