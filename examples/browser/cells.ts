/** Cells as the losses on the page take them. */
import * as cg from "@cellgrad/cellgrad";
import { normalizeTotal, scale } from "../../src/data/preprocess.ts";
import { simulateCells } from "../../src/data/simulate.ts";
import type { LossEntry, Need, Sizes } from "./loss_entry.ts";

type Tensor = cg.Tensor;

/** Cells with their types and batches, n of g genes. */
export interface Cells {
  /** Where they come from, in words. */
  source: string;
  /** (n, g): z-scores of every gene, what the model sees. */
  features: Tensor;
  /** (n, g): values that are at least 0; above 0 is expressed. */
  expression: Tensor | undefined;
  /** (n, g): whole numbers that are at least 0. */
  counts: Tensor | undefined;
  /** (n, g): true expression, and its change per unit of time. */
  motion: { expression: Tensor; velocity: Tensor } | undefined;
  /** (n): the type of each cell. */
  labels: Tensor;
  /** The names of the types. */
  classes: readonly string[];
  /** (n): the batch of each cell. */
  batches: Tensor;
  batchNames: readonly string[];
  /** (n, g): true for a fixed random 40 % of the values. */
  hidden: Tensor;
  /** (n, g): true everywhere. */
  everything: Tensor;
  /** (n): true for a fixed random two thirds of the cells. */
  counted: Tensor;
  /** Two masks (n, g) of 0 and 1, each without a fixed random fifth of the values. */
  views: readonly [Tensor, Tensor];
  /** (n, embedding): fixed standard normal numbers. */
  noise: Tensor;
}

/** What is known of cells; the rest follows. */
export type Measured = Omit<
  Cells,
  "hidden" | "everything" | "counted" | "views" | "noise" | "features"
>;

/** Numbers in a cell's embedding. */
export const EMBEDDING = 8;

/**
 * Cells with z-scores of their values (n, g), and masks and noise that are the same at each call.
 */
export function prepareCells(measured: Measured, values: Tensor): Cells {
  const [cells, genes] = values.shape as [number, number];
  const keys = cg.splitKey(cg.key(7), 5);
  const mask = (i: number, share: number) =>
    cg.bernoulli(keys[i]!, share, { shape: [cells, genes] });
  return {
    ...measured,
    features: scale(values, { maxValue: 10 }).values.cast("float32"),
    hidden: mask(0, 0.4),
    everything: cg.ones([cells, genes], { dtype: "bool" }),
    counted: cg.bernoulli(keys[1]!, 2 / 3, { shape: [cells] }),
    views: [mask(2, 0.8).cast("float32"), mask(3, 0.8).cast("float32")],
    noise: cg.normal(keys[4]!, [cells, EMBEDDING]),
  };
}

/** Simulated cells, 600 of 60 genes by default, of six types in three batches. */
export function simulatedCells(
  options: { cells?: number; genes?: number; seed?: number } = {},
): Cells {
  const { cells = 600, genes = 60, seed = 0 } = options;
  const simulated = simulateCells({ cells, genes, seed, batches: 3 });
  const { counts, labels, typeNames, batches, expression, velocity } = simulated;
  const measured: Measured = {
    source: `${cells} simulated cells of ${genes} genes, ${typeNames.length} types, 3 batches`,
    expression: cg.log1p(normalizeTotal(counts, { targetSum: 100 })),
    counts: counts.cast("float32"),
    motion: { expression: expression.cast("float32"), velocity: velocity.cast("float32") },
    labels: cg.tensor(labels),
    classes: typeNames,
    batches: cg.tensor(batches),
    batchNames: ["batch 0", "batch 1", "batch 2"],
  };
  return prepareCells(measured, measured.expression!);
}

export function sizesOf({ features, classes, batchNames }: Cells): Sizes {
  return {
    genes: features.shape[1]!,
    classes: classes.length,
    batches: batchNames.length,
    embedding: EMBEDDING,
  };
}

const REASONS: Readonly<Record<Need, string>> = {
  expression: "values that are at least 0",
  counts: "counts, whole numbers that are at least 0",
  velocity: "the velocity of expression, which only simulated cells have",
};

/** Why a loss cannot be computed of cells; `undefined` if it can be. */
export function missingFor(entry: LossEntry, cells: Cells): string | undefined {
  const has = { expression: cells.expression, counts: cells.counts, velocity: cells.motion };
  const need = entry.needs?.find((name) => has[name] === undefined);
  return need && `Cannot compute ${entry.name} as these cells lack ${REASONS[need]}`;
}

/** At most so many cells, evenly spread, and the first genes, at most so many. */
export function sampleCells(cells: Cells, count: number, genes: number): Cells {
  const [n, g] = cells.features.shape as [number, number];
  const rows = Int32Array.from({ length: Math.min(count, n) }, (_, i) => i * n / count | 0);
  const take = (x: Tensor) => {
    const chosen = x.gather(cg.tensor(rows));
    return chosen.rank === 2 && chosen.shape[1] === g && x !== cells.noise
      ? chosen.slice([0, 0], [rows.length, Math.min(genes, g)])
      : chosen;
  };
  const maybe = (x: Tensor | undefined) => x && take(x);
  const { motion } = cells;
  return {
    ...cells,
    features: take(cells.features),
    expression: maybe(cells.expression),
    counts: maybe(cells.counts),
    motion: motion &&
      { expression: take(motion.expression), velocity: take(motion.velocity) },
    labels: take(cells.labels),
    batches: take(cells.batches),
    hidden: take(cells.hidden),
    everything: take(cells.everything),
    counted: take(cells.counted),
    views: [take(cells.views[0]), take(cells.views[1])],
    noise: take(cells.noise),
  };
}

/** The hierarchy of a root, any cell, and the types below it; and the node of each cell's type. */
export function twoLevels({ labels, classes }: Cells): {
  hierarchy: { levels: Int32Array; membership: number[][][] };
  labels: Tensor;
} {
  const count = classes.length;
  const nodes = Array.from({ length: count + 1 }, (_, node) => node);
  return {
    hierarchy: {
      levels: Int32Array.from(nodes, (node) => node === 0 ? 0 : 1),
      membership: [
        nodes.map(() => [1]),
        nodes.map((node) => classes.map((_, type) => type + 1 === node ? 1 : 0)),
      ],
    },
    labels: labels.add(1).cast("int32"),
  };
}
