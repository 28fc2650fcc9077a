/** How well effects are predicted, beside simple guesses. */
import { tensor } from "@cellgrad/cellgrad";
import { perturbationMetrics, type PerturbationScores } from "@cellgrad/cellgrad/metrics";
import { type ConditionKind, HELD_OUT_KINDS } from "./design.ts";
import type { Experiment } from "./experiment.ts";

/** Predicts the cells of a perturbation: (cells, genes), or (genes) for all of them. */
export type Predictor = (condition: number, cells: readonly number[]) => ArrayLike<number>;

/** The scores of a predictor on held-out perturbations. */
export interface Scores {
  /** Means over all held-out perturbations. */
  all: PerturbationScores<number>;
  /** Means over those of each kind. */
  kinds: Partial<Record<ConditionKind, PerturbationScores<number>>>;
  /** For each held-out perturbation, the correlation on the change. */
  pearsonDelta: number[];
}

/** How many differentially expressed genes count: 20 of thousands in the original, here of few. */
export const TOP_GENES = 10;

/** The perturbations that are not learned from. */
export function heldOut({ conditions }: Experiment): number[] {
  return [...conditions.keys()].filter((condition) => conditions[condition]!.kind !== "training");
}

/** The cells of a perturbation; of control for −1. */
export function cellsOf({ conditionOf }: Experiment, condition: number): number[] {
  return [...conditionOf.keys()].filter((cell) => conditionOf[cell] === condition);
}

/** The mean expression of cells, by gene. */
export function meanExpression({ expression }: Experiment, cells: readonly number[]): Float64Array {
  const genes = expression.shape[1]!;
  const sums = new Float64Array(genes);
  for (const cell of cells) {
    for (let gene = 0; gene < genes; gene++) {
      sums[gene]! += expression.data[cell * genes + gene]!;
    }
  }
  return sums.map((sum) => sum / cells.length);
}

/** Scores predictions of the held-out perturbations, from so many cells of each. */
export function score(experiment: Experiment, predict: Predictor, most: number = Infinity): Scores {
  const genes = experiment.expression.shape[1]!;
  const conditions = heldOut(experiment);
  const control = cellsOf(experiment, -1);
  const options = { ctrlMean: meanExpression(experiment, control), topK: TOP_GENES };
  const parts = conditions.map((condition) => {
    const cells = cellsOf(experiment, condition);
    const asked = cells.slice(0, most);
    const rows = meanOfRows(predict(condition, asked), genes);
    return { pred: rows, truth: meanExpression(experiment, cells), de: rank(experiment, cells) };
  });
  const over = (chosen: readonly number[]) => {
    const matrix = (rows: readonly ArrayLike<number>[]) =>
      tensor(rows.map((row) => Array.from(row)), { dtype: "float64" });
    return perturbationMetrics(
      matrix(chosen.map((i) => parts[i]!.pred)),
      matrix(chosen.map((i) => parts[i]!.truth)),
      {
        ...options,
        perturbation: Int32Array.from(chosen.keys()),
        deIndices: tensor(chosen.map((i) => parts[i]!.de), { dtype: "int32" }),
      },
    );
  };
  const { mean, perPerturbation } = over([...conditions.keys()]);
  const kinds = HELD_OUT_KINDS.map((kind) => {
    const chosen = [...conditions.keys()].filter((i) =>
      experiment.conditions[conditions[i]!]!.kind === kind
    );
    return [kind, over(chosen).mean] as const;
  });
  return {
    all: mean,
    kinds: Object.fromEntries(kinds),
    pearsonDelta: [...perPerturbation.pearsonDelta],
  };
}

/** The mean of the rows of a matrix. */
export function meanOfRows(values: ArrayLike<number>, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < values.length; i++) sums[i % width]! += values[i]!;
  const rows = values.length / width;
  return sums.map((sum) => sum / rows);
}

/** Genes by how surely they differ from control (Welch's t), the surest first. */
export function rank(experiment: Experiment, cells: readonly number[]): number[] {
  const control = cellsOf(experiment, -1);
  const moments = [cells, control].map((group) => {
    const mean = meanExpression(experiment, group);
    return { mean, error: squaredError(experiment, group, mean) };
  });
  const [here, there] = moments as [typeof moments[0], typeof moments[0]];
  const t = here.mean.map((mean, gene) =>
    Math.abs(mean - there.mean[gene]!) /
    Math.sqrt(here.error[gene]! + there.error[gene]! + 1e-12)
  );
  return [...t.keys()].sort((a, b) => t[b]! - t[a]!);
}

/** The squared standard error of the mean, by gene. */
function squaredError({ expression }: Experiment, cells: readonly number[], mean: Float64Array) {
  const genes = mean.length;
  return mean.map((centre, gene) =>
    cells.reduce((sum, cell) => sum + (expression.data[cell * genes + gene]! - centre) ** 2, 0) /
    (cells.length * Math.max(1, cells.length - 1))
  );
}

/** Simple guesses, and what knowing the truth would give. */
export function baselines(experiment: Experiment): { name: string; predict: Predictor }[] {
  const { conditions, effects } = experiment;
  const control = meanExpression(experiment, cellsOf(experiment, -1));
  const changes = new Map(
    [...conditions.keys()].filter((condition) => conditions[condition]!.kind === "training")
      .map((condition) => {
        const mean = meanExpression(experiment, cellsOf(experiment, condition));
        return [condition, mean.map((value, gene) => value - control[gene]!)] as const;
      }),
  );
  const alone = new Map(
    [...changes].filter(([condition]) => conditions[condition]!.genes.length === 1)
      .map(([condition, change]) => [conditions[condition]!.genes[0]!, change]),
  );
  const all = [...changes.values()];
  const shifted = (change: (gene: number) => number) =>
    control.map((value, gene) => value + change(gene));
  const mean = shifted((gene) => all.reduce((sum, c) => sum + c[gene]!, 0) / all.length);
  return [
    { name: "no change", predict: () => control },
    { name: "mean of training perturbations", predict: () => mean },
    {
      name: "sum of single changes",
      predict: (condition) =>
        shifted((gene) =>
          conditions[condition]!.genes.reduce((sum, g) => sum + (alone.get(g)?.[gene] ?? 0), 0)
        ),
    },
    {
      name: "the known effect",
      predict: (condition) => shifted((gene) => effects[condition]![gene]!),
    },
  ];
}
