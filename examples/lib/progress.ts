/**
 * Progress of a cross-validated training: one line redrawn on a terminal, plain lines elsewhere.
 */
import { formatDuration, formatMetric } from "./format.ts";
import { truncate } from "./table.ts";

const MAX_BAR_WIDTH = 24;
const TEXT_WIDTH = 72;
const REDRAW_MS = 80;
const PLAIN_SILENCE_MS = 10_000;
const PLAIN_LINES_PER_FOLD = 4;

/** Where progress goes. */
export interface ProgressOutput {
  /** Writes text as it is. */
  write(text: string): void;
  /** Whether lines can be redrawn. */
  isTerminal: boolean;
  /** Columns of the terminal; 80 by default. */
  columns?: number | undefined;
}

/** The amount of work, and where to show it. */
export interface ProgressOptions {
  folds: number;
  /** Epochs per fold. */
  epochs: number;
  /** Where progress goes; {@linkcode standardError} by default. */
  output?: ProgressOutput | undefined;
  /** A clock in milliseconds; `performance.now` by default. */
  now?: (() => number) | undefined;
}

/** What is known after an epoch. */
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

/** A running display. */
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
 * Shows how far a cross-validated training is. On a terminal: a bar, the fold, the epoch, the loss,
 * the accuracy and the time that is left, redrawn at most every 80 ms. Elsewhere: a line four times
 * per fold, and whenever nothing was said for 10 s.
 */
export function progressBar(options: ProgressOptions): Progress {
  const { folds, epochs, output = standardError(), now = () => performance.now() } = options;
  const settled = { folds, epochs, output, now };
  return output.isTerminal ? redrawnLine(settled) : plainLines(settled);
}

type Settled = { folds: number; epochs: number; output: ProgressOutput; now: () => number };

/** Share of the work that is done, from 0 to 1. */
function shareDone({ fold, epoch }: EpochReport, { folds, epochs }: Settled): number {
  return Math.min(1, ((fold - 1) * epochs + epoch) / (folds * epochs));
}

function describe(report: EpochReport, settled: Settled, elapsed: number): string {
  const of = (value: number, total: number) =>
    `${String(value).padStart(String(total).length)}/${total}`;
  const done = shareDone(report, settled);
  const left = elapsed / 1000 * (1 - done) / done;
  return [
    `fold ${of(report.fold, settled.folds)}`,
    `epoch ${of(report.epoch, settled.epochs)}`,
    `loss ${formatMetric(report.loss)}`,
    ...(report.accuracy === undefined ? [] : [`accuracy ${formatMetric(report.accuracy)}`]),
    ...(done < 1 ? [`${formatDuration(left)} left`] : []),
  ].join("  ");
}

function redrawnLine(settled: Settled): Progress {
  const { output, now } = settled;
  const { columns = 80 } = output;
  const width = Math.max(4, Math.min(MAX_BAR_WIDTH, columns - 1 - TEXT_WIDTH));
  const start = now();
  let shown = -Infinity;
  let pending: string | undefined;
  let finished = false;
  function redraw(line: string): void {
    output.write(`\r\x1b[2K${truncate(line, columns - 1)}`);
    shown = now();
    pending = undefined;
  }
  return {
    update(report) {
      if (finished) return;
      const done = shareDone(report, settled);
      const filled = Math.round(width * done);
      const bar = "█".repeat(filled) + "░".repeat(width - filled);
      pending = `${bar} ${describe(report, settled, now() - start)}`;
      if (done === 1 || now() - shown >= REDRAW_MS) redraw(pending);
    },
    finish() {
      if (finished) return;
      finished = true;
      if (pending !== undefined) redraw(pending);
      if (shown > -Infinity) output.write("\n");
    },
  };
}

function plainLines(settled: Settled): Progress {
  const { epochs, output, now } = settled;
  const start = now();
  const spacing = Math.ceil(epochs / PLAIN_LINES_PER_FOLD);
  let shown = start;
  let finished = false;
  return {
    update(report) {
      const due = report.epoch % spacing === 0 || report.epoch === epochs;
      if (finished || (!due && now() - shown < PLAIN_SILENCE_MS)) return;
      output.write(`${describe(report, settled, now() - start)}\n`);
      shown = now();
    },
    finish() {
      finished = true;
    },
  };
}
