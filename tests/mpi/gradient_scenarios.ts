/**
 * Gradients over the cells of all ranks must be those of one process.
 *
 * @module
 */
import {
  batchMixingLoss,
  contrastiveCellEmbeddingLoss,
  elasticCellSimilarityLoss,
  grad,
  mmdLoss,
  type Tensor,
  treeLeaves,
  valueAndGrad,
} from "../../mod.ts";
import { type Communicator, parallelValueAndGrad, shardRows } from "../../src/mpi/mod.ts";
import { assertNear, CELLS, embed, PARAMS, type Params, type Share } from "./cells.ts";
import type { Scenario } from "./scenarios.ts";

/** The rows of this rank where higher ranks have more of them. */
function lopsided(comm: Communicator): Share {
  const startOf = (rank: number) =>
    Math.floor(23 * rank * (rank + 1) / (comm.size * (comm.size + 1)));
  const [start, end] = [startOf(comm.rank), startOf(comm.rank + 1)];
  return { cells: CELLS.cells.slice(start, end), batches: CELLS.batches.slice(start, end) };
}

/** What a loss needs of the other ranks. */
interface Ranks {
  size: number;
  gather(x: Tensor): Tensor;
  mean(x: Tensor): Tensor;
  largest(x: Tensor): Tensor;
}

/** All cells are here: what is expected must not depend on what is tested. */
const ALONE: Ranks = { size: 1, gather: (x) => x, mean: (x) => x, largest: (x) => x };

function ranksOf(comm: Communicator): Ranks {
  return {
    size: comm.size,
    gather: (x) => comm.allGather(x),
    mean: (x) => comm.allReduce({ x }, { op: "mean" }).x,
    largest: (x) => comm.allReduce(x, { op: "max" }),
  };
}

/** Losses of a share; those that compare pairs gather the embeddings of all ranks first. */
const LOSSES: Record<string, (ranks: Ranks) => (params: Params, share: Share) => Tensor> = {
  "a mean over cells": () => (p, { cells }) => embed(p, cells).square().sum({ axis: 1 }).mean(),
  "batchMixingLoss": (ranks) => (p, { cells, batches }) =>
    batchMixingLoss(ranks.gather(embed(p, cells)), ranks.gather(batches), { nNeighbors: 5 }),
  "batchMixingLoss, soft": (ranks) => (p, { cells, batches }) =>
    batchMixingLoss(ranks.gather(embed(p, cells)), ranks.gather(batches), {
      nNeighbors: 5,
      selection: "soft",
    }),
  "mmdLoss": (ranks) => (p, { cells, batches }) =>
    mmdLoss(ranks.gather(embed(p, cells)), ranks.gather(batches)),
  "mmdLoss, rbf": (ranks) => (p, { cells, batches }) =>
    mmdLoss(ranks.gather(embed(p, cells)), ranks.gather(batches), { kernel: "rbf" }),
  "elasticCellSimilarityLoss": (ranks) => (p, { cells }) =>
    elasticCellSimilarityLoss(ranks.gather(embed(p, cells))),
  "contrastiveCellEmbeddingLoss": (ranks) => (p, { cells }) =>
    contrastiveCellEmbeddingLoss(
      ranks.gather(embed(p, cells)),
      ranks.gather(embed(p, cells.mul(0.9).add(0.2))),
    ),
  "contrastiveCellEmbeddingLoss, symmetric": (ranks) => (p, { cells }) =>
    contrastiveCellEmbeddingLoss(
      ranks.gather(embed(p, cells)),
      ranks.gather(embed(p, cells.mul(0.9).add(0.2))),
      { symmetric: true },
    ),
  "a mean over cells and mmdLoss together": (ranks) => (p, { cells, batches }) => {
    const own = embed(p, cells);
    return own.square().mean().add(mmdLoss(ranks.gather(own), ranks.gather(batches)));
  },
  "a loss of the mean and the largest of all ranks": (ranks) => (p, { cells }) => {
    const own = embed(p, cells).sum({ axis: 0 });
    const largest = ranks.largest(embed(p, cells).max());
    return ranks.mean(own).mul(ranks.size).square().sum().mul(largest);
  },
};

/** A loss over all cells in one process. */
function alone(name: string): (params: Params) => Tensor {
  return (p) => LOSSES[name]!(ALONE)(p, CELLS);
}

/** First derivatives. */
export function gradientScenarios(): [string, Scenario][] {
  return Object.entries(LOSSES).map(([name, lossOf]) => [
    `the gradient of ${name} is that of one process`,
    (comm) => {
      const expected = valueAndGrad(alone(name))(PARAMS);
      for (const share of [shardRows(CELLS, comm), lopsided(comm)]) {
        const found = parallelValueAndGrad(lossOf(ranksOf(comm)), comm)(PARAMS, share);
        assertNear(found, expected, 1e-12);
      }
    },
  ]);
}

/** The sum of the squared slopes: its gradient needs second derivatives. */
function roughness(gradient: unknown): Tensor {
  return treeLeaves(gradient).map((g) => g.square().sum()).reduce((a, b) => a.add(b));
}

/** Second derivatives. */
export function secondOrderScenarios(): [string, Scenario][] {
  return ["mmdLoss, rbf", "a loss of the mean and the largest of all ranks"].map((name) => [
    `second derivatives of ${name} are those of one process`,
    (comm) => {
      const inner = parallelValueAndGrad(LOSSES[name]!(ranksOf(comm)), comm);
      const outer = parallelValueAndGrad(
        (p: Params, share: Share) => roughness(inner(p, share)[1]),
        comm,
      );
      const expected = valueAndGrad((p: Params) => roughness(grad(alone(name))(p)))(PARAMS);
      assertNear(outer(PARAMS, lopsided(comm)), expected, 1e-11);
    },
  ]);
}
