/**
 * One workload on all sides: made ready, compared, timed.
 *
 * @module
 */
import { type Effort, largestDifference, timeInTurns } from "./measure.ts";
import type { Pair } from "./report.ts";
import type { Inputs, Side, Task } from "./side.ts";
import type { Rival, Workload } from "./workloads.ts";

/** How far outputs may be apart, in proportion to the largest, unless a workload says otherwise. */
const TOLERANCE = 1e-4;

/** What came of a workload. */
export interface Outcome {
  /** What was measured. */
  pairs: Pair[];
  /** What went wrong, a line each. */
  errors: string[];
}

/**
 * The peers of a workload that are there, compared with our outputs and then timed in turns; `peak`:
 * floating-point operations that we can do in a millisecond at most.
 */
export async function runWorkload(
  workload: Workload,
  ours: Side,
  peers: readonly Side[],
  effort: Effort,
  peak: number,
): Promise<Outcome> {
  const { name, form, rivals, steps = 1, tolerance = TOLERANCE, summary = same, products } =
    workload;
  const errors: string[] = [];
  const note = (label: string, error: unknown) => {
    errors.push(`${name}: ${label}: ${error instanceof Error ? error.message : error}`);
  };
  const inputs = workload.inputs();
  const ready: { rival: Rival; task: Task }[] = [];
  let own: Started;
  try {
    own = await start(ours, form, inputs, steps);
  } catch (error) {
    note(ours.name, error);
    return { pairs: [], errors };
  }
  for (const rival of rivals) {
    const side = peers.find((peer) => peer.name === rival.peer);
    if (side === undefined) continue;
    try {
      const { task, outputs } = await start(side, formOf(form, rival), inputs, steps);
      checkClose(outputs.map(summary), own.outputs.map(summary), tolerance);
      ready.push({ rival, task });
    } catch (error) {
      note(labelOf(rival), error);
    }
  }
  const times = await timeInTurns([own.task, ...ready.map(({ task }) => task)], effort);
  const pairs = ready.map(({ rival }, i) => ({
    name,
    peer: labelOf(rival),
    oursMs: times[0]!,
    peerMs: times[i + 1]!,
    target: rival.target,
    most: products === undefined ? null : times[i + 1]! * peak / products,
  }));
  return { pairs, errors };
}

function same(output: Float32Array): Float32Array {
  return output;
}

function formOf(form: string, { variant }: Rival): string {
  return variant === undefined ? form : `${form}, ${variant}`;
}

function labelOf({ peer, variant }: Rival): string {
  return variant === undefined ? peer : `${peer} (${variant})`;
}

/** A task with the outputs of its first calls, one after the other. */
interface Started {
  task: Task;
  outputs: readonly Float32Array[];
}

async function start(side: Side, form: string, inputs: Inputs, calls: number): Promise<Started> {
  const task = await side.prepare(form, inputs);
  if (task === undefined) throw new Error(`there is no "${form}"`);
  const outputs: Float32Array[] = [];
  for (let i = 0; i < calls; i++) outputs.push(...await task.outputs());
  return { task, outputs };
}

function checkClose(
  actual: readonly Float32Array[],
  expected: readonly Float32Array[],
  tolerance: number,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`returns ${actual.length} arrays, ours ${expected.length}`);
  }
  const difference = Math.max(...actual.map((array, i) => largestDifference(array, expected[i]!)));
  if (difference <= tolerance) return;
  throw new Error(`differs by ${difference.toExponential(1)}, more than ${tolerance}`);
}
