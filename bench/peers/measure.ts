/**
 * Differences between results, and times of tasks taken in turns.
 *
 * @module
 */
import type { Task } from "./side.ts";

/** How long and how often to measure. */
export interface Effort {
  /** How many samples each task gets. */
  rounds: number;
  /** The milliseconds that a sample takes at least, by as many calls as that needs. */
  sampleMs: number;
  /** The milliseconds after which a slow task gets no further sample. */
  budgetMs: number;
  /** What stands for all samples; the median by default. */
  typical?: (samples: readonly number[]) => number;
}

/** The middle value; the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** The largest difference in proportion to the largest expected value; infinite for NaN. */
export function largestDifference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  if (Number.isNaN(difference)) return Infinity;
  return difference === 0 ? 0 : difference / scale;
}

/** The milliseconds that a call of each task typically takes, sampled in turns, to and fro. */
export async function timeInTurns(tasks: readonly Task[], effort: Effort): Promise<number[]> {
  const runs = [];
  for (const task of tasks) runs.push({ task, calls: await countCalls(task, effort.sampleMs) });
  const samples: number[][] = tasks.map(() => []);
  const spent = tasks.map(() => 0);
  for (let round = 0; round < effort.rounds; round++) {
    const turns = [...runs.entries()];
    for (const [i, { task, calls }] of round % 2 === 0 ? turns : turns.reverse()) {
      if (round > 0 && spent[i]! >= effort.budgetMs) continue;
      const elapsed = await task.time(calls);
      spent[i]! += elapsed;
      samples[i]!.push(elapsed / calls);
    }
  }
  return samples.map(effort.typical ?? median);
}

/** How many calls fill a sample, found while the task warms up. */
async function countCalls(task: Task, sampleMs: number): Promise<number> {
  for (let calls = 1;; calls *= 2) {
    const elapsed = await task.time(calls);
    if (elapsed >= sampleMs / 2) return Math.max(1, Math.round(calls * sampleMs / elapsed));
  }
}
