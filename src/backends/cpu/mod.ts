/**
 * The CPU as a device: programs in memory of their own, on one thread or on several.
 *
 * @module
 */
import type { Executable, ProgramDevice } from "../../program/device.ts";
import type { Graph } from "../../program/graph.ts";
import { CpuExecutable } from "./executable.ts";
import { Memories } from "./kernels.ts";
import { canShareMemory } from "./start_threads.ts";
import { Team } from "./threads.ts";

export { MAX_THREADS } from "./threads.ts";

/** Beyond so many threads, steps wait for memory rather than for processors. */
const MOST_SUITABLE = 8;

/** The least work that is worth a thread of its own, in nanoseconds by a rough estimate. */
const SMALLEST_PART_NS = 20_000;

/** As many threads as the machine runs at once, up to eight; one where they share no memory. */
export function suitableThreads(): number {
  const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } };
  const count = Math.min(navigator?.hardwareConcurrency ?? 1, MOST_SUITABLE);
  return canShareMemory() ? Math.max(1, count) : 1;
}

/** The CPU as one program uses it: its threads, and memory from one set of shapes to the next. */
export class CpuDevice implements ProgramDevice {
  readonly name = "cpu";
  readonly #team: Team | undefined;
  readonly #memories = new Memories();
  readonly #smallestShared: number | undefined;

  /** `"auto"`: as many as the machine has, where threads share memory. */
  constructor(threads: number | "auto") {
    const count = threads === "auto" ? suitableThreads() : threads;
    this.#team = count > 1 ? new Team(count) : undefined;
    if (threads === "auto") this.#smallestShared = count * SMALLEST_PART_NS;
  }

  prepare(graph: Graph): Executable {
    return new CpuExecutable(graph, {
      team: this.#team,
      memories: this.#memories,
      smallestShared: this.#smallestShared,
    });
  }

  ready(): Promise<void> | undefined {
    return this.#team?.ready();
  }

  /** Ends its threads, and lets its memory go. Who still waits for them gets the reason. */
  dispose(reason: Error): void {
    this.#team?.dispose(reason);
    this.#memories.dispose();
  }
}
