/**
 * What the two sides of a comparison have in common: shared inputs, and a call that can be timed.
 *
 * @module
 */
import process from "node:process";

/** Numbers that all sides get: float32, whole numbers among them. */
export interface NumberArray {
  /** The shape. */
  readonly shape: readonly number[];
  /** The values, row by row. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** The inputs of a workload by name. */
export type Inputs = Readonly<Record<string, NumberArray>>;

/** The whole call that a user makes, with its results read. */
export type Call = () => Promise<readonly Float32Array[]> | readonly Float32Array[];

/** A workload, ready to be called. */
export interface Task {
  /** The results of one call. */
  outputs: () => Promise<readonly Float32Array[]>;
  /** The processor's milliseconds for so many calls, one after the other. */
  time: (calls: number) => Promise<number>;
}

/** Turns the inputs into what the library holds, and returns the call. */
export type Implementation = (inputs: Inputs) => Promise<Call> | Call;

/** A library that can do workloads. */
export interface Side {
  /** The library's name. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** Makes a workload ready; `undefined` where the library cannot do it. */
  prepare: (form: string, inputs: Inputs) => Promise<Task | undefined>;
  /** Ends what was started. */
  close: () => Promise<void>;
}

/** The milliseconds that processors have spent on this process, whatever else they do. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A side that runs in this process; several threads are timed by the clock on the wall. */
export function makeSide(
  name: string,
  version: string,
  implementations: Readonly<Record<string, Implementation>>,
  clock: () => number = processorTime,
): Side {
  return {
    name,
    version,
    async prepare(form, inputs) {
      const call = await implementations[form]?.(inputs);
      if (call === undefined) return undefined;
      return {
        outputs: () => Promise.try(call),
        async time(calls) {
          const start = clock();
          for (let i = 0; i < calls; i++) await call();
          return clock() - start;
        },
      };
    },
    close: () => Promise.resolve(),
  };
}

/** The sides that can be loaded; a line about each that cannot. */
export async function loadPeers(
  loaders: Readonly<Record<string, () => Promise<Side>>>,
  report: (line: string) => void,
): Promise<Side[]> {
  const peers: Side[] = [];
  for (const [name, load] of Object.entries(loaders)) {
    try {
      peers.push(await load());
    } catch (error) {
      report(`skipped: ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return peers;
}
