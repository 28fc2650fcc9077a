/**
 * Workers that read a file and make its batches, while the calling thread does something else.
 *
 * @module
 */
import { findWorkers, type StartThreads, type Threads } from "../backends/cpu/start_threads.ts";
import { type AnnDataFile, type FileState, stateOf } from "./anndata.ts";
import type { MadeBatch } from "./batch_maker.ts";
import {
  type BatchAnswer,
  type BatchRequest,
  type EpochTask,
  type FileTask,
  receiveError,
  SERVICE_URL,
} from "./batch_service.ts";
import { windowOf } from "./epoch_order.ts";
import { sendSource } from "./source.ts";
import { messageOf } from "./store.ts";

/** What a worker runs. */
const SCRIPT = `
const post = (answer, transfer) => postMessage(answer, transfer);
let serving;
onmessage = ({ data }) => {
  serving ??= import(${JSON.stringify(SERVICE_URL)}).then(({ serve }) => serve(post));
  serving.then((tell) => tell(data), (error) => post(String(error)));
};
`;

/** How workers start; throws a `TypeError` where they cannot, as there is no module at the address. */
export function findBatchWorkers(address: string | undefined = SERVICE_URL): StartThreads {
  const start = findWorkers();
  const why = start === undefined
    ? "this runtime has none: use Deno, Node 22.3 or later, Bun or a current browser"
    : !/\/batch_service\.[jt]s$/.test(URL.parse(address ?? "")?.pathname ?? "")
    ? "the library's modules were bundled, and workers load them one by one"
    : undefined;
  if (start !== undefined && why === undefined) return start;
  throw new TypeError(`Cannot compute cellLoader with workers as ${why}, or set workers to 0`);
}

/** Workers that were not needed for this long end; the next epoch starts others. */
const REST_MS = 2000;

/** A worker that has opened a file, and the batches that it owes. */
class BatchWorker {
  #threads: Threads | undefined;
  readonly #owed: PromiseWithResolvers<MadeBatch>[] = [];
  #ended: Error | undefined;
  #hasFailed = false;

  constructor(start: StartThreads, path: string, task: FileTask) {
    const fail = (problem: string) => {
      const why = `a worker failed: ${problem}: set workers to 0 to do without`;
      this.end(new Error(`Cannot load cells of "${path}" as ${why}`));
    };
    try {
      this.#threads = start<BatchAnswer>(SCRIPT, 1, (answer) => {
        if (typeof answer === "string") fail(answer);
        else this.#hear(answer);
      });
      this.send(task);
    } catch (error) {
      fail(messageOf(error));
    }
  }

  /** Whether it may serve another epoch. */
  get isFree(): boolean {
    return this.#ended === undefined && !this.#hasFailed && this.#owed.length === 0;
  }

  send(message: BatchRequest): void {
    for (const thread of this.#threads?.threads ?? []) thread.postMessage(message);
  }

  make(number: number): Promise<MadeBatch> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const owed = Promise.withResolvers<MadeBatch>();
    this.#owed.push(owed);
    this.send(number);
    return owed.promise;
  }

  /** Ends the worker; who waits for a batch gets the reason. */
  end(reason: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const thread of this.#threads?.threads ?? []) thread.terminate();
    this.#threads?.release();
    for (const owed of this.#owed) owed.reject(reason);
  }

  #hear(answer: BatchAnswer): void {
    const owed = this.#owed.shift();
    if ("error" in answer) {
      this.#hasFailed = true;
      owed?.reject(receiveError(answer.error));
    } else owed?.resolve(answer);
  }
}

/** The workers of a file, which serve its loaders' epochs, and rest between these for a while. */
class WorkerPool {
  readonly #path: string;
  readonly #start: StartThreads;
  readonly #all = new Set<BatchWorker>();
  readonly #idle = new Set<BatchWorker>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(start: StartThreads, path: string, { ends }: FileState) {
    this.#path = path;
    this.#start = start;
    ends.add(() => this.#end(this.#all, new TypeError(`Cannot read "${path}" as it is closed`)));
  }

  take(task: FileTask): BatchWorker {
    const idle = [...this.#idle].find(({ isFree }) => isFree);
    const worker = idle ?? new BatchWorker(this.#start, this.#path, task);
    this.#all.add(worker);
    this.#idle.delete(worker);
    this.#rest();
    return worker;
  }

  giveBack(worker: BatchWorker): void {
    if (worker.isFree) this.#idle.add(worker);
    else this.#end([worker], new Error("Cannot load cells as the epoch has ended"));
    this.#rest();
  }

  /** Ends the idle ones later. */
  #rest(): void {
    clearTimeout(this.#timer);
    if (this.#idle.size === 0) return;
    const reason = new Error("Cannot load cells as the worker has ended");
    this.#timer = setTimeout(() => this.#end(this.#idle, reason), REST_MS);
  }

  #end(workers: Iterable<BatchWorker>, reason: Error): void {
    for (const worker of workers) {
      worker.end(reason);
      this.#all.delete(worker);
      this.#idle.delete(worker);
    }
    if (this.#idle.size === 0) clearTimeout(this.#timer);
  }
}

const pools = new WeakMap<AnnDataFile, WorkerPool>();

/** The workers of an epoch: each takes one window after the other in turn. */
export class EpochWorkers {
  readonly #pool: WorkerPool;
  readonly #task: EpochTask;
  readonly #workers: BatchWorker[] = [];

  private constructor(pool: WorkerPool, file: FileTask, task: EpochTask) {
    this.#pool = pool;
    this.#task = task;
    for (let i = 0; i < task.stride; i++) {
      const worker = pool.take(file);
      worker.send({ ...task, first: task.first + i });
      this.#workers.push(worker);
    }
  }

  /**
   * Has workers open a file and begin an epoch.
   *
   * @param start How workers start.
   * @param file The file.
   * @param task The epoch; `stride` is how many workers take part.
   * @returns The workers; `undefined` where cells were read from memory that is held no more, so that
   * there is nothing left to open or read.
   */
  static start(
    start: StartThreads,
    file: AnnDataFile,
    task: EpochTask,
  ): EpochWorkers | undefined {
    const state = stateOf(file);
    const source = state.origin && sendSource(state.origin.source);
    if (source === undefined || state.closed) return undefined;
    const pool = pools.get(file) ?? new WorkerPool(start, file.path, state);
    pools.set(file, pool);
    return new EpochWorkers(pool, { ...state.origin!, source }, task);
  }

  /** Has a batch made. */
  make(number: number): Promise<MadeBatch> {
    const { plan, first, stride } = this.#task;
    return this.#workers[(windowOf(plan, number) - first) % stride]!.make(number);
  }

  /** Lets the workers go. */
  end(): void {
    for (const worker of this.#workers) this.#pool.giveBack(worker);
  }
}
