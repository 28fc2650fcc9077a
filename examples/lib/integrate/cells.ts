/** Cells in batches: simulated, from a file, or from a file with an added batch effect. */
import { log1p, type Tensor } from "@cellgrad/cellgrad";
import { normalizeTotal, simulateCells } from "@cellgrad/cellgrad/data";
import { key } from "@cellgrad/cellgrad/random";
import { UsageError } from "../arguments.ts";
import { readCells } from "../cells.ts";
import type { Reading } from "../cells/options.ts";
import type { Labels } from "./measures.ts";
import { addBatchEffect } from "./synthetic_batches.ts";

/** Cells of known types in batches. */
export interface BatchedCells extends Labels {
  /** Where they come from, in words. */
  source: string;
  /** Where the batches come from: all simulated, an effect added to real cells, or real ones. */
  origin: "simulated" | "synthetic" | "measured";
  /** (cells, genes): log-normalized expression. */
  expression: Tensor;
  batchNames: string[];
  /** What was left out of the file and what was done with it. */
  notes: string[];
}

/** Which cells to take. */
export interface CellChoice extends Reading {
  /** A file; simulated cells without it. */
  data: string | undefined;
  /** How many batches to add where the file has none. */
  syntheticBatches: number | undefined;
  /** How strong an effect is that is simulated or added. */
  batchStrength: number;
  /** Whether a few simulated cells are enough. */
  quick: boolean;
  /** Decides simulated cells, or the added effect. */
  seed: number;
}

/** The cells; every mistake in the choice is a `UsageError`. */
export async function loadCells(choice: CellChoice): Promise<BatchedCells> {
  const { data, labels, batch, syntheticBatches, batchStrength, seed } = choice;
  if (data === undefined) {
    for (const [flag, value] of [["--labels", labels], ["--batch", batch]] as const) {
      if (value !== undefined) throw new UsageError(`Option ${flag} needs --data as well`);
    }
    return simulated(choice);
  }
  if ((batch === undefined) === (syntheticBatches === undefined)) {
    throw new UsageError(
      "Option --data needs either --batch KEY, the column of its batches, or --synthetic-batches N, " +
        "which adds a batch effect",
    );
  }
  const cells = await readCells(data, labels, choice);
  if (cells.expression.data.some((value) => value < 0)) {
    throw new UsageError(
      `Option --data must name a file of counts or log-normalized expression: ` +
        `${cells.source} has negative values`,
    );
  }
  const { source, labels: types, classes: typeNames, notes, expression } = cells;
  const { batches, batchNames } = cells;
  if (batches !== undefined && batchNames !== undefined) {
    return { source, types, typeNames, expression, batches, batchNames, notes, origin: "measured" };
  }
  const count = syntheticBatches!;
  const effect = { batches: count, strength: batchStrength };
  const changed = addBatchEffect(key(seed), expression, effect);
  const added = { ...changed, batchNames: names(count), origin: "synthetic" } as const;
  return { source, types, typeNames, notes, ...added };
}

function names(batches: number): string[] {
  return Array.from({ length: batches }, (_, batch) => `batch ${batch + 1}`);
}

/** Six types, as common as each other, in three batches. */
function simulated({ quick, seed, batchStrength, syntheticBatches = 3 }: CellChoice): BatchedCells {
  const cells = simulateCells({
    cells: quick ? 300 : 900,
    genes: quick ? 100 : 200,
    typeWeights: [1, 1, 1, 1, 1, 1],
    markers: 0.2,
    markerStrength: 1.8,
    batches: syntheticBatches,
    batchStrength,
    librarySize: 2000,
    dropout: 0.05,
    seed,
  });
  return {
    source: "simulateCells()",
    origin: "simulated",
    expression: log1p(normalizeTotal(cells.counts, { targetSum: 2000 })),
    types: cells.labels,
    typeNames: cells.typeNames,
    batches: cells.batches,
    batchNames: names(syntheticBatches),
    notes: [],
  };
}
