/**
 * How fast are we beside others? Every workload runs on our side and on each peer's, in turns and in
 * one go, on the same numbers; the results are compared before anything is timed.
 *
 * Meant for one pinned core: `taskset -c 0 npx -y deno@2.9.6 task bench:peers`.
 *
 * @module
 */
import * as cellgrad from "@cellgrad/cellgrad";
import * as linalg from "@cellgrad/cellgrad/linalg";
import * as nn from "@cellgrad/cellgrad/nn";
import { runProgram, UsageError } from "../../examples/lib/arguments.ts";
import { type Library, makeCompiled, makeOurs } from "./ours.ts";
import { measurePeak } from "./peak.ts";
import { loadPyTorch } from "./pytorch.ts";
import { jsonLine, type Pair, pairTable, ratioOf } from "./report.ts";
import { runWorkload } from "./run.ts";
import { loadPeers, type Side } from "./side.ts";
import { chooseWorkloads, WORKLOADS } from "./workloads.ts";

/** This checkout. */
const LIBRARY: Library = { ...cellgrad, linalg, nn };

/** What is left at least of the speed of another checkout. */
const KEPT = 0.95;

const PROGRAM = {
  command: "deno task bench:peers",
  summary: "Times our side and each peer's in turns, after comparing what they compute.\n" +
    "A ratio is the peer's time over ours, at most that of products alone at the speed that a core\n" +
    "reaches without memory. Peers that are not installed are skipped.",
  options: {
    json: { kind: "boolean", help: "Print one line of JSON per pair instead of a table" },
    only: {
      kind: "string",
      placeholder: "NAME",
      help: "Run only the workloads whose name contains this",
    },
    beside: {
      kind: "string",
      placeholder: "FOLDER",
      help: "Beside another checkout of this library, in place of the peers: a ratio below " +
        `${KEPT} fails`,
    },
    threads: {
      kind: "integer",
      default: 1,
      min: 1,
      help: "Threads of each side, timed by the clock on the wall; beside PyTorch alone",
    },
    rounds: {
      kind: "integer",
      default: 7,
      min: 1,
      help: "Samples of each side; beside a checkout thrice as many",
    },
  },
} as const;

function loadersFor(threads: number): Record<string, () => Promise<Side>> {
  const pytorch = () => loadPyTorch(threads);
  if (threads > 1) return { pytorch };
  return {
    "jax-js": async () => (await import("./jax.ts")).SIDE,
    "tensorflow.js": async () => (await import("./tensorflow.ts")).SIDE,
    pytorch,
    "compiled": () => Promise.resolve(makeCompiled(LIBRARY)),
  };
}

/** What the samples of a busy machine have in common with those of a quiet one. */
function fastest(samples: readonly number[]): number {
  return Math.min(...samples);
}

/** Another checkout of this library as a side. */
async function loadCheckout(folder: string, threads: number): Promise<Side> {
  const root = new URL(`${folder}/`, `file://${Deno.cwd()}/`);
  const load = (path: string) => import(new URL(path, root).href);
  try {
    return makeOurs(folder, {
      ...await load("mod.ts"),
      linalg: await load("src/linalg/mod.ts").catch(() => ({})),
      nn: await load("src/nn/mod.ts"),
    }, threads);
  } catch (error) {
    throw new UsageError(
      `Cannot load ${folder}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

interface Values {
  json: boolean;
  only: string | undefined;
  beside: string | undefined;
  threads: number;
  rounds: number;
}

async function main({ json, only, beside, threads, rounds }: Values): Promise<number> {
  const chosen = chooseWorkloads(WORKLOADS, only);
  if (chosen.length === 0) {
    const names = WORKLOADS.map(({ name }) => name).join(", ");
    throw new UsageError(`No workload is called "${only}": workloads are ${names}`);
  }
  const peers = beside === undefined
    ? await loadPeers(loadersFor(threads), console.error)
    : [await loadCheckout(beside, threads)];
  const workloads = beside === undefined
    ? chosen
    : chosen.map((all) => ({ ...all, rivals: [{ peer: beside, target: KEPT }] }));
  console.error(`Beside ${peers.map(({ name, version }) => `${name} ${version}`).join(", ")}`);
  const ours = makeOurs("cellgrad", LIBRARY, threads);
  const peak = threads * measurePeak();
  console.error(`WebAssembly: ${(peak / 1e6).toFixed(1)} GFLOP/s at most`);
  const effort = beside === undefined
    ? { rounds, sampleMs: 100, budgetMs: 10_000 }
    : { rounds: 3 * rounds, sampleMs: 30, budgetMs: 10_000, typical: fastest };
  const all: Pair[] = [];
  let failures = 0;
  for (const workload of workloads) {
    const { pairs, errors } = await runWorkload(workload, ours, peers, effort, peak);
    for (const error of errors) console.error(`error: ${error}`);
    if (json) { for (const pair of pairs) console.log(jsonLine(pair)); }
    else console.error(`measured: ${workload.name}`);
    all.push(...pairs);
    failures += errors.length;
  }
  if (!json) console.log(pairTable(all));
  await Promise.all(peers.map((peer) => peer.close()));
  const slower = beside !== undefined && all.some((pair) => ratioOf(pair) < KEPT);
  return failures === 0 && !slower ? 0 : 1;
}

// jax-js leaves workers behind that would keep the process alive.
Deno.exit(await runProgram(PROGRAM, Deno.args, main));
