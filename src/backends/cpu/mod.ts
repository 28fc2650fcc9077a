/**
 * The CPU as a device: programs in memory of their own, on one thread or on several.
 *
 * @module
 */
import type { Executable, ProgramDevice } from "../../program/device.ts";
import type { Graph } from "../../program/graph.ts";
import { CpuExecutable } from "./executable.ts";
import { Memories } from "./memories.ts";
import { Team } from "./threads.ts";

export { MAX_THREADS } from "./threads.ts";

/** The CPU as one program uses it: its threads, and memory from one set of shapes to the next. */
export class CpuDevice implements ProgramDevice {
  readonly name = "cpu";
  readonly #team: Team | undefined;
  readonly #memories = new Memories();

  constructor(threads: number) {
    this.#team = threads > 1 ? new Team(threads) : undefined;
  }

  prepare(graph: Graph): Executable {
    return new CpuExecutable(graph, { team: this.#team, memories: this.#memories });
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
