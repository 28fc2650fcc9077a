/**
 * What the steps of a program take, measured.
 *
 * @module
 */
import type { Tensor } from "../tensor.ts";
import type { Executable } from "./device.ts";
import { explainPlan, type Measured, type PlannedStep, stepsOf } from "./explain.ts";

/** A step of a program, and what it takes. */
export interface ProfiledStep {
  /** What it makes, by which operations, of what: as `explain()` has it. */
  readonly step: string;
  /** Where and how it runs: "kernel", "on the host"; empty for loops, whose bodies say it. */
  readonly how: string;
  /** What it takes in a call, all turns of a loop together: the median of all runs. */
  readonly milliseconds: number;
  /** Floating-point operations, exact for products and an estimate elsewhere; of one turn in a loop. */
  readonly flops: number;
  /** Bytes that it reads and writes; of one turn in a loop, and 0 for the loop itself. */
  readonly bytes: number;
  /** The steps of its bodies, where it is a loop. */
  readonly steps: readonly ProfiledStep[];
}

/** What a program takes, step by step; as text, the plan with the times. */
export interface Profile {
  /** How many calls were measured. */
  readonly runs: number;
  /** What a call takes on the device, from the first step to the last: the median of all runs. */
  readonly milliseconds: number;
  /** Its steps, in order. */
  readonly steps: readonly ProfiledStep[];
  /** The plan as `explain()` has it, each step with its time. */
  toString(): string;
}

/** Calls a program so many times, once more before that, and tells what its steps take. */
export async function profile(
  executable: Executable,
  inputs: readonly Tensor[],
  runs: number,
  ready: () => Promise<void> | undefined,
): Promise<Profile> {
  const calls: Measured[] = [];
  for (let i = 0; i <= runs; i++) {
    await ready();
    calls.push(await executable.measure(inputs));
  }
  const measured = calls.slice(1);
  const units = new Set(measured.flatMap(({ times }) => [...times.keys()]));
  const times = new Map(
    [...units].map((unit) => [unit, median(measured.map((call) => call.times.get(unit) ?? 0))]),
  );
  const plan = executable.plan();
  const milliseconds = median(measured.map((call) => call.milliseconds));
  return {
    runs,
    milliseconds,
    steps: profiled(stepsOf(plan), times),
    toString: () => explainPlan(plan, { milliseconds, times }),
  };
}

function profiled(steps: readonly PlannedStep[], times: Measured["times"]): ProfiledStep[] {
  return steps.map(({ unit, step, how, flops, bytes, bodies }) => {
    const own = bodies.flatMap((body) => profiled(body.steps, times));
    return { step, how, milliseconds: times.get(unit) ?? 0, flops, bytes, steps: own };
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
