/**
 * How threads start: as the web's workers, or as Node's.
 *
 * @module
 */

/** A thread that runs a script. */
export type Thread = Pick<Worker, "postMessage" | "terminate">;

/** Threads of one script, and how to let go of what they were started from. */
export interface Threads {
  threads: Thread[];
  release(): void;
}

/** Starts threads of a script; `hear` gets their answers, and as a text what went wrong. */
export type StartThreads = <Answer>(
  script: string,
  count: number,
  hear: (answer: Answer | string) => void,
) => Threads;

/** Node's module of workers, as far as it is needed. */
interface NodeThreads {
  Worker: new (script: string, options: { eval: true }) => Thread & {
    on(event: string, listener: (value: never) => void): void;
  };
}

/** What threads are made of, where the runtime has it. */
interface Host {
  SharedArrayBuffer?: unknown;
  Worker?: unknown;
  crossOriginIsolated?: unknown;
  process?: { getBuiltinModule?(name: "node:worker_threads"): NodeThreads };
}

/** How threads start in this runtime; throws a `TypeError` where they share no memory. */
export function findThreads(): StartThreads {
  const start = canShareMemory() ? findWorkers() : undefined;
  if (start !== undefined) return start;
  const why = (globalThis as Host).crossOriginIsolated === false
    ? "this page shares no memory with workers: serve it with the headers " +
      "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp"
    : "this runtime has no workers that share memory: use Deno, Node 22.3 or later, Bun or a " +
      "current browser";
  throw new TypeError(
    `Cannot compute compile with several threads as ${why}, or leave threads out`,
  );
}

/** How threads start in this runtime, whether or not they share memory; `undefined` without any. */
export function findWorkers(): StartThreads | undefined {
  const { Worker, process } = globalThis as Host;
  if (Worker !== undefined) return startWebThreads;
  const node = process?.getBuiltinModule?.("node:worker_threads");
  return node === undefined ? undefined : startNodeThreads(node);
}

/** Whether threads can be started that share memory. */
export function canShareMemory(): boolean {
  const { SharedArrayBuffer, crossOriginIsolated } = globalThis as Host;
  return SharedArrayBuffer !== undefined && crossOriginIsolated !== false &&
    findWorkers() !== undefined;
}

const startWebThreads: StartThreads = (script, count, hear) => {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const threads = Array.from({ length: count }, () => {
    const worker = new Worker(url, { type: "module" });
    worker.onmessage = ({ data }) => hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      hear(event.message);
    };
    return worker;
  });
  return { threads, release: () => URL.revokeObjectURL(url) };
};

/** Node's workers have a port in place of a scope of their own. */
const NODE_SCOPE = `
const { parentPort } = require("node:worker_threads");
const postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
let onmessage;
parentPort.on("message", (data) => onmessage({ data }));
`;

function startNodeThreads({ Worker }: NodeThreads): StartThreads {
  return (script, count, hear) => {
    const threads = Array.from({ length: count }, () => {
      const worker = new Worker(NODE_SCOPE + script, { eval: true });
      worker.on("message", hear);
      worker.on("error", (error) => hear(String(error)));
      return worker;
    });
    return { threads, release: () => {} };
  };
}
