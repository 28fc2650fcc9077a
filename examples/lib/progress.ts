/**
 * Progress of a cross-validated training: one line redrawn on a terminal, plain lines elsewhere.
 */
import { formatDuration, formatMetric } from "./format.ts";
import { truncate } from "./table.ts";

const MAX_BAR_WIDTH = 24;
const TEXT_WIDTH = 72;
const REDRAW_MS = 80;
const SILENCE_MS = 10_000;
const PLAIN_LINES_PER_FOLD = 4;

export interface ProgressOutput {
  /** Writes text as it is. */
  write(text: string): void;
  /** Whether lines can be redrawn. */
  isTerminal: boolean;
  /** Columns of the terminal; 80 by default. */
  columns?: number | undefined;
}

export interface ProgressOptions {
  folds: number;
  /** Epochs per fold. */
  epochs: number;
  /** Where progress goes; {@linkcode standardError} by default. */
  output?: ProgressOutput | undefined;
  /** A clock in milliseconds; `performance.now` by default. */
  now?: (() => number) | undefined;
}

export interface EpochReport {
  /** The fold, from 1. */
  fold: number;
  /** The epoch just finished, from 1. */
  epoch: number;
  /** Mean training loss of the epoch. */
  loss: number;
  /** Accuracy on the held-out cells, where it was computed. */
  accuracy?: number | undefined;
}

export interface Progress {
  /** Shows an epoch. */
  update(report: EpochReport): void;
  /** Ends the display, also after an interruption; further calls do nothing. */
  finish(): void;
}

/** The standard error of this process, so that standard output holds results only. */
export function standardError(): ProgressOutput {
  const encoder = new TextEncoder();
  const isTerminal = Deno.stderr.isTerminal();
  return {
    isTerminal,
    // Some terminals do not know their size and say 0.
    columns: isTerminal ? Deno.consoleSize().columns || undefined : undefined,
    write(text) {
      let bytes = encoder.encode(text);
      while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
    },
  };
}

/**
 * Lines of progress: on a terminal one that is redrawn, at most every 80 ms; elsewhere those that are
 * due, and one whenever nothing was said for 10 s.
 */
export function progressLines(output: ProgressOutput, now: () => number): {
  show(line: string, isDue: boolean): void;
  finish(): void;
} {
  const { isTerminal, columns = 80 } = output;
  let shown = isTerminal ? -Infinity : now();
  let pending = "";
  let finished = false;
  function write(): void {
    output.write(isTerminal ? `\r\x1b[2K${truncate(pending, columns - 1)}` : `${pending}\n`);
    shown = now();
    pending = "";
  }
  return {
    show(line, isDue) {
      if (finished) return;
      pending = line;
      if (isDue || now() - shown >= (isTerminal ? REDRAW_MS : SILENCE_MS)) write();
    },
    finish() {
      if (!finished && isTerminal) {
        if (pending !== "") write();
        if (shown > -Infinity) output.write("\n");
      }
      finished = true;
    },
  };
}

/**
 * Shows how far a cross-validated training is. On a terminal: a bar, the fold, the epoch, the loss,
 * the accuracy and the time that is left. Elsewhere: a line four times per fold.
 */
export function progressBar(options: ProgressOptions): Progress {
  const { folds, epochs, output = standardError(), now = () => performance.now() } = options;
  const { isTerminal, columns = 80 } = output;
  const width = Math.max(4, Math.min(MAX_BAR_WIDTH, columns - 1 - TEXT_WIDTH));
  const spacing = Math.ceil(epochs / PLAIN_LINES_PER_FOLD);
  const start = now();
  const lines = progressLines(output, now);
  return {
    update(report) {
      const { fold, epoch } = report;
      const done = Math.min(1, ((fold - 1) * epochs + epoch) / (folds * epochs));
      const left = (now() - start) / 1000 * (1 - done) / done;
      const text = describe(report, { folds, epochs }, done < 1 ? left : undefined);
      const filled = Math.round(width * done);
      const bar = isTerminal ? `${"█".repeat(filled)}${"░".repeat(width - filled)} ` : "";
      const isDue = isTerminal ? done === 1 : epoch % spacing === 0 || epoch === epochs;
      lines.show(bar + text, isDue);
    },
    finish: lines.finish,
  };
}

function describe(
  { fold, epoch, loss, accuracy }: EpochReport,
  { folds, epochs }: { folds: number; epochs: number },
  secondsLeft: number | undefined,
): string {
  const of = (value: number, total: number) =>
    `${String(value).padStart(String(total).length)}/${total}`;
  return [
    `fold ${of(fold, folds)}`,
    `epoch ${of(epoch, epochs)}`,
    `loss ${formatMetric(loss)}`,
    ...(accuracy === undefined ? [] : [`accuracy ${formatMetric(accuracy)}`]),
    ...(secondsLeft === undefined ? [] : [`${formatDuration(secondsLeft)} left`]),
  ].join("  ");
}
