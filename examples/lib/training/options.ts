/** The options that all examples share. */
/** How often a training goes through its data: the option of that name. */
export interface EpochsOption {
  readonly kind: "integer";
  readonly min: 1;
  readonly max: number;
  readonly default: number;
  readonly help: string;
}

/** The option `epochs` of what is seen so often by default. */
export function epochsOption(count: number, seen: string): EpochsOption {
  return { kind: "integer", min: 1, max: 1e5, default: count, help: `How often ${seen} is seen` };
}

/** How many parts cells are divided into. */
export const FOLDS_OPTION = {
  kind: "integer",
  min: 2,
  default: 5,
  help: "Parts that are held out in turn",
} as const;

/** Spread them into an example's own options. */
export const SHARED_OPTIONS = {
  quick: { kind: "boolean", help: "A small run, under 30 s, to see that all works" },
  seed: {
    kind: "integer",
    min: 0,
    max: 2147483647,
    default: 0,
    help: "The same seed gives the same numbers",
  },
  device: {
    kind: "choice",
    choices: ["cpu", "webgpu"],
    default: "cpu",
    help: "What the training runs on",
  },
  resume: { kind: "boolean", help: "Continue from the last checkpoint, to the same numbers" },
  out: { kind: "string", placeholder: "DIR", default: "out", help: "Where the results go" },
} as const;
