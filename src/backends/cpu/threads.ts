/**
 * Threads that share the steps of programs: fork and join over shared memory.
 *
 * A step is a job of as many parts as there are threads. Whoever is free takes the next part; the
 * thread that calls the program takes part too, and waits only for parts that others have begun.
 * Workers get everything that they ever call in advance, as lists of numbers; at run time only the
 * number of a job is written to a board in shared memory. Between jobs they look at the board for a
 * while, then sleep.
 *
 * @module
 */
import type { Kernel } from "./kernels.ts";
import { findThreads, type StartThreads, type Thread } from "./start_threads.ts";
import type { Calls } from "./step_kernel.ts";

/** A step that threads share. */
export interface Job {
  /** What is called. */
  kernel: Kernel;
  /** What it is called with, in as many parts as there are threads. */
  parts: readonly Calls[];
}

/** What workers are told of a program: its jobs, from a number on, or how many are to be forgotten. */
interface Load {
  memory?: WebAssembly.Memory;
  jobs: readonly (Pick<Kernel, "module" | "name"> & Pick<Job, "parts">)[];
  first: number;
  forgotten: number;
}

/** Places on the board. */
const BOARD = {
  /** How many times workers were called upon. */
  turn: 0,
  /** The number of the job to do. */
  job: 1,
  /** The next part of it to do, after the turn in the higher bits. */
  claim: 2,
  /** How many parts of it are not done. */
  pending: 3,
  /** How many messages were sent to each worker: who has heard fewer must listen first. */
  messages: 4,
  /** Whether a worker failed. */
  failed: 5,
} as const;

/** Bits of a claim that say the part, and so the most threads. */
const PART_BITS = 10;

/** The most threads that a team can have. */
export const MAX_THREADS: number = 2 ** PART_BITS - 1;

/** How often a thread looks at the board before it sleeps: about 0.1 ms. */
const LOOKS = 20_000;

/** Workers that were not needed for this long end; the next call starts others. */
const REST_MS = 2000;

/** What a worker runs. It must not reach for anything that is not here. */
const WORKER = `
const { turn, job, claim, pending, messages, failed } = ${JSON.stringify(BOARD)};
const jobs = [];
let heard = 0;
let threads = 0;
function load({ memory, jobs: added, first, forgotten, size }) {
  threads = size;
  for (let i = 0; i < forgotten; i++) delete jobs[first + i];
  const instances = new Map();
  added.forEach(({ module, name, parts }, i) => {
    const instance = instances.get(module) ??
      new WebAssembly.Instance(module, { env: { memory }, Math });
    instances.set(module, instance);
    jobs[first + i] = { run: instance.exports[name], parts };
  });
}
function work(board) {
  for (;;) {
    const claimed = Atomics.load(board, claim);
    const part = claimed & ${MAX_THREADS};
    if (part >= threads) return;
    const { run, parts } = jobs[Atomics.load(board, job)];
    if (Atomics.compareExchange(board, claim, claimed, claimed + 1) !== claimed) continue;
    try {
      for (const numbers of parts[part]) run(...numbers);
    } catch {
      Atomics.store(board, failed, 1);
    }
    if (Atomics.sub(board, pending, 1) === 1) Atomics.notify(board, pending);
  }
}
function serve(board, seen) {
  while (heard === Atomics.load(board, messages)) {
    for (let i = 0; i < ${LOOKS} && Atomics.load(board, turn) === seen; i++);
    while (Atomics.load(board, turn) === seen) Atomics.wait(board, turn, seen);
    if (heard !== Atomics.load(board, messages)) return;
    seen = Atomics.load(board, turn);
    work(board);
  }
}
onmessage = ({ data }) => {
  heard++;
  try {
    load(data);
  } catch (error) {
    return postMessage(String(error));
  }
  const seen = Atomics.load(data.board, turn);
  postMessage(null);
  serve(data.board, seen);
};
`;

/**
 * Workers that serve one program, in all its specializations. They start when something is loaded,
 * end when they have not been needed for two seconds, so that nobody has to wait for a program that
 * was forgotten, and start anew at the next call.
 */
export class Team {
  /** How many threads there are, the calling one among them. */
  readonly size: number;
  readonly #startThreads: StartThreads;
  readonly #loads: Load[] = [];
  #jobCount = 0;
  #workers: Thread[] = [];
  #board: Int32Array<SharedArrayBuffer>;
  /** How many answers to messages are missing. */
  #missing = 0;
  #started: PromiseWithResolvers<void> | undefined;
  #needed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(size: number) {
    this.#startThreads = findThreads();
    this.size = size;
    this.#board = makeBoard(this.size);
  }

  /** Tells the workers what they will be asked to do; returns the number of the first job. */
  load(memory: WebAssembly.Memory, jobs: readonly Job[]): number {
    const first = this.#jobCount;
    if (jobs.length === 0) return first;
    const sent = jobs.map(({ kernel: { module, name }, parts }) => ({ module, name, parts }));
    this.#jobCount += jobs.length;
    this.#loads.push({ memory, jobs: sent, first, forgotten: 0 });
    this.#send(this.#loads.at(-1)!);
    return first;
  }

  /** Has the workers forget what was loaded, and its memory; nobody may be running it. */
  unload(first: number): void {
    const at = this.#loads.findIndex((load) => load.first === first);
    if (at < 0) return;
    const [{ jobs }] = this.#loads.splice(at, 1) as [Load];
    this.#send({ jobs: [], first, forgotten: jobs.length });
  }

  /** Waits until the workers can run what was loaded; `undefined` where there is nothing to wait. */
  ready(): Promise<void> | undefined {
    if (this.#workers.length === 0 && this.#loads.length > 0) this.#start();
    return this.#started?.promise;
  }

  /**
   * Has a job done. Every thread takes the next part, the calling one by `own`, until none is left:
   * it never waits for threads that have yet to wake up.
   */
  run(job: number, own: (part: number) => void): void {
    if (this.#workers.length === 0) {
      throw new TypeError("Cannot run the program as its threads have ended");
    }
    const board = this.#board;
    this.#needed = true;
    Atomics.store(board, BOARD.job, job);
    Atomics.store(board, BOARD.pending, this.size);
    Atomics.store(board, BOARD.claim, Atomics.load(board, BOARD.turn) << PART_BITS);
    this.#call();
    for (;;) {
      const part = Atomics.add(board, BOARD.claim, 1) & MAX_THREADS;
      if (part >= this.size) break;
      own(part);
      Atomics.sub(board, BOARD.pending, 1);
    }
    waitForZero(board, BOARD.pending);
    if (Atomics.load(board, BOARD.failed) === 1) {
      throw new Error("Cannot run the program as one of its threads failed");
    }
  }

  /** Ends the workers. Who still waits for them gets the reason. */
  dispose(reason: Error): void {
    clearTimeout(this.#timer);
    // Awake, so that they can end: runtimes may be unable to end a thread that sleeps.
    Atomics.store(this.#board, BOARD.messages, -1);
    this.#call();
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    this.#missing = 0;
    this.#started?.reject(reason);
    this.#started = undefined;
  }

  #start(): void {
    this.#board = makeBoard(this.size);
    const hear = (problem: string | null) => this.#hear(problem);
    const { threads, release } = this.#startThreads(WORKER, this.size - 1, hear);
    this.#workers = threads;
    for (const load of this.#loads) this.#send(load);
    this.#started?.promise.then(release, release);
    this.#watch();
  }

  /** Tells the workers, if there are any. */
  #send(load: Load): void {
    if (this.#workers.length === 0) return;
    if (this.#started === undefined) {
      this.#started = Promise.withResolvers();
      this.#started.promise.catch(() => {});
    }
    this.#missing += this.#workers.length;
    // Before the message itself: a worker that has it must find nothing left to happen.
    Atomics.add(this.#board, BOARD.messages, 1);
    this.#call();
    const message = { ...load, board: this.#board, size: this.size };
    for (const worker of this.#workers) worker.postMessage(message);
  }

  #call(): void {
    Atomics.add(this.#board, BOARD.turn, 1);
    Atomics.notify(this.#board, BOARD.turn);
  }

  /** A worker's answer: `null`, or what went wrong. */
  #hear(problem: string | null): void {
    if (problem !== null) {
      this.dispose(new Error(`Cannot start the threads of the program: ${problem}`));
    } else if (--this.#missing === 0) {
      this.#started?.resolve();
      this.#started = undefined;
    }
  }

  /** Ends the workers once they have not been needed for a while. */
  #watch(): void {
    this.#needed = false;
    this.#timer = setTimeout(() => {
      if (this.#needed || this.#missing > 0) this.#watch();
      else this.dispose(new Error("Cannot run the program as its threads have ended"));
    }, REST_MS);
  }
}

/** A board on which nothing is to be done. */
function makeBoard(threads: number): Int32Array<SharedArrayBuffer> {
  const board = new Int32Array(new SharedArrayBuffer(4 * Object.keys(BOARD).length));
  board[BOARD.claim] = threads;
  return board;
}

/** Whether this thread may sleep: browsers do not let the one that draws the page. */
let sleeps = true;

/** Waits until a place on the board is zero; where the thread must not sleep, it only looks. */
function waitForZero(board: Int32Array<SharedArrayBuffer>, place: number): void {
  for (let looks = 0;; looks++) {
    const value = Atomics.load(board, place);
    if (value === 0) return;
    if (looks <= LOOKS || !sleeps) continue;
    try {
      Atomics.wait(board, place, value);
    } catch {
      sleeps = false;
    }
  }
}
