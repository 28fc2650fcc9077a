/**
 * Domain-specific batch normalisation (DSBN): every batch of cells has a norm of its own.
 *
 * Source: Chang et al. 2019 (arXiv:1906.03950); scGPT `scgpt/model/dsbn.py`.
 */
import { equal, gather, stack, type Tensor, type TensorLike, where } from "@cellgrad/cellgrad";
import {
  batchNorm,
  type BatchNormState,
  initBatchNorm,
  type Initialized,
  type NormParams,
  type Numbered,
} from "@cellgrad/cellgrad/nn";

/** Running statistics of a domain, and what it scales and shifts by where it is affine. */
export type DomainNorm = Initialized<BatchNormState> & Partial<Initialized<NormParams>>;

/** `DomainSpecificBatchNorm1d`: the norms by the numbers of their domains. */
export type DomainNorms = { bns: Numbered<DomainNorm> };

/** scGPT's, which is larger than PyTorch's: half precision knows no smaller one. */
const EPSILON = 6.1e-5;

/**
 * Normalizes cells (cells, channels, …) by the norm of one domain; in training by their own
 * statistics, towards which the running ones move. Also gives the norms after them.
 */
export function domainNorm(
  { bns }: DomainNorms,
  x: Tensor,
  domain: TensorLike,
  { training }: { training: boolean },
): { output: Tensor; norms: DomainNorms } {
  const all = Object.values(bns);
  const names = Object.keys(all[0]!) as (keyof DomainNorm)[];
  const own = Object.fromEntries(
    names.map((name) => [name, gather(stack(all.map((norm) => norm[name]!)), domain)]),
  ) as DomainNorm;
  const { output, state } = batchNorm(own, x, { state: own, training, epsilon: EPSILON });
  const moved = Object.entries(bns).map(([number, norm]) => {
    const after = (name: keyof BatchNormState) =>
      where(equal(domain, Number(number)), state[name], norm[name]);
    const statistics = { running_mean: after("running_mean"), running_var: after("running_var") };
    return [number, { ...norm, ...statistics }];
  });
  return { output, norms: { bns: Object.fromEntries(moved) } };
}

/** Norms before the first cells; `affine` ones scale and shift. */
export function initDomainNorms(domains: number, channels: number, affine: boolean): DomainNorms {
  const one = () => {
    const { params, state } = initBatchNorm(channels);
    return affine ? { ...params, ...state } : state;
  };
  return { bns: Object.fromEntries(Array.from({ length: domains }, (_, k) => [k, one()])) };
}
