/**
 * Progress of a training with the parts of its loss: one line redrawn on a terminal, plain lines
 * elsewhere.
 */
import { formatDuration } from "../format.ts";
import { progressLines, type ProgressOutput, standardError } from "../progress.ts";

const PLAIN_LINES = 4;

/** How far a training is. */
export interface StepReport {
  /** Finished epochs. */
  epoch: number;
  /** All epochs. */
  epochs: number;
  /** Finished steps of the current epoch. */
  step: number;
  /** All steps of the current epoch. */
  steps: number;
  /** Means of the epoch so far: `total` and the parts of the loss. */
  losses: Readonly<Record<string, number>>;
}

export interface TrainingProgress {
  /** Shows a step. */
  update(report: StepReport): void;
  /** Ends the display. */
  finish(): void;
}

export interface LossProgressOptions {
  /** What stands before each line, such as the name of one of several trainings. */
  label?: string;
  /** Where progress goes; standard error by default. */
  output?: ProgressOutput;
  /** A clock in milliseconds; `performance.now` by default. */
  now?: () => number;
}

/**
 * Shows epoch, loss, its parts, and the time that is left: on a terminal in a line that is redrawn
 * at most every 80 ms; elsewhere a line four times per training, and whenever nothing was said for
 * 10 s.
 */
export function lossProgress(options: LossProgressOptions = {}): TrainingProgress {
  const { label = "", output = standardError(), now = () => performance.now() } = options;
  const start = now();
  const lines = progressLines(output, now);
  let first: number | undefined;
  return {
    update(report) {
      const done = shareDone(report);
      first ??= done;
      const left = done > first ? (now() - start) / 1000 * (1 - done) / (done - first) : NaN;
      const line = [
        label,
        describe(report),
        done < 1 && left > 0 ? `${formatDuration(left)} left` : "",
      ].filter((part) => part !== "").join("  ");
      lines.show(line, output.isTerminal ? done === 1 : isMilestone(report));
    },
    finish: lines.finish,
  };
}

/** Share of the work that is done, from 0 to 1. */
function shareDone({ epoch, epochs, step, steps }: StepReport): number {
  return (epoch + step / Math.max(1, steps)) / epochs;
}

/** Whether a quarter of the epochs has just been finished. */
function isMilestone({ epoch, epochs, step, steps }: StepReport): boolean {
  return step === steps && (epoch + 1) % Math.ceil(epochs / PLAIN_LINES) === 0;
}

function describe({ epoch, epochs, step, steps, losses }: StepReport): string {
  const current = Math.min(epochs, epoch + 1);
  const { total, gradientNorm: _norm, ...parts } = losses;
  const three = (value: number) => Number(value.toPrecision(3)).toString();
  const named = Object.entries(parts).map(([name, value]) => `${name} ${three(value)}`);
  const width = String(epochs).length;
  return [
    `epoch ${String(current).padStart(width)}/${epochs}`,
    ...(step < steps ? [`step ${step}/${steps}`] : []),
    `loss ${total === undefined ? "–" : three(total)}`,
    ...(named.length > 1 ? [`(${named.join(", ")})`] : []),
  ].join("  ");
}
