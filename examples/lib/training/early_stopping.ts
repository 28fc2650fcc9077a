/** Stopping when a training no longer gets better. */
import type { EpochRecord, TrainingState } from "./state.ts";

export interface EarlyStopping {
  /** What is watched: a name among the epoch's `measures` or `losses`. */
  watch: string;
  /** Whether less or more of it is better; `"min"` by default. */
  mode?: "min" | "max";
  /** How many epochs without a better value are waited for. */
  patience: number;
  /** How much better counts as better; anything by default. */
  minDelta?: number;
}

/** Keeps the best epoch in mind, after each epoch; tells whether to stop. */
export function noteEpoch<P>(state: TrainingState<P>, rule: EarlyStopping): boolean {
  const { watch, mode = "min", patience, minDelta = 0 } = rule;
  const { epoch, measures, losses } = state.history.at(-1) as EpochRecord;
  const value = measures[watch] ?? losses[watch];
  if (value === undefined) {
    const names = [...Object.keys(measures), ...Object.keys(losses)].join(", ");
    throw new TypeError(
      `Cannot watch "${watch}" for early stopping as it is not measured: there are ${names}`,
    );
  }
  const gain = state.best === undefined
    ? Infinity
    : mode === "min"
    ? state.best.value - value
    : value - state.best.value;
  if (gain > minDelta) state.best = { parameters: state.parameters, value, epoch };
  return epoch - (state.best?.epoch ?? epoch) >= patience;
}
