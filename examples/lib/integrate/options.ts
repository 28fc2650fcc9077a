/** The options that the integration on one process and on many ranks have in common. */
import { DATA_OPTION } from "../cells/options.ts";
import { type EpochsOption, epochsOption } from "../training/options.ts";

/** Where the cells come from. */
export const CELL_OPTIONS = {
  data: DATA_OPTION as typeof DATA_OPTION,
  labels: { kind: "string", placeholder: "KEY", help: "The column that holds the cell types" },
  batch: { kind: "string", placeholder: "KEY", help: "The column that holds the batches" },
} as const;

interface RateOption {
  readonly kind: "number";
  readonly above: 0;
  readonly default: number;
  readonly help: string;
}

function rateOption(rate: number): RateOption {
  const help = "About how far each weight moves per step at first; a tenth less after each epoch";
  return { kind: "number", above: 0, default: rate, help };
}

/** How long and how fast a small network learns, on many ranks. */
export const LEARNING_OPTIONS = {
  epochs: epochsOption(25, "each cell") as EpochsOption,
  learningRate: rateOption(3e-3) as RateOption,
} as const;

/** How long and how fast the transformer learns, and how large it is. */
export const TRANSFORMER_OPTIONS = {
  epochs: epochsOption(15, "each cell") as EpochsOption,
  learningRate: rateOption(5e-3) as RateOption,
  layers: { kind: "integer", min: 1, max: 12, default: 1, help: "Layers of the transformer" },
  variableGenes: {
    kind: "integer",
    min: 2,
    default: 200,
    help: "The most variable genes that the network sees, at most",
  },
} as const;

/** Weights and thresholds of the objective. */
export const OBJECTIVE_OPTIONS = {
  maskRatio: { kind: "number", above: 0, max: 1, default: 0.4, help: "Share of genes hidden" },
  ecsThreshold: {
    kind: "number",
    min: 0,
    max: 1,
    default: 0.8,
    help: "Similarity below which cells are pushed apart",
  },
  ecsWeight: { kind: "number", min: 0, default: 10, help: "Weight of that term" },
  dabWeight: { kind: "number", min: 0, default: 1, help: "Weight of what mixes the batches" },
  reversal: {
    kind: "number",
    min: 0,
    default: 0.2,
    help: "Factor of the gradient that the discriminator reverses",
  },
} as const;

/** Spread of log-fold changes in a batch that is simulated or added. */
export const BATCH_STRENGTH = 0.9;
