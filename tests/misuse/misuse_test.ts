/**
 * Every function is given what does not belong there, argument by argument, option by option. It
 * must say so in the library's own words: no message of the engine, no hang, no endless memory.
 *
 * All calls; `deno test … tests/misuse -- --share=0.1 --seed=2` makes a sample of them.
 */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import * as data from "../../src/data/mod.ts";
import * as linalg from "../../src/linalg/mod.ts";
import * as losses from "../../src/losses/mod.ts";
import * as metrics from "../../src/metrics/mod.ts";
import * as mpi from "../../src/mpi/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { VALID_DATA, validReaders } from "./valid_data.ts";
import { VALID_LINALG } from "./valid_linalg.ts";
import { VALID_LOSSES } from "./valid_losses.ts";
import { VALID_METRICS } from "./valid_metrics.ts";
import { VALID_MPI, validCheckpoints } from "./valid_mpi.ts";
import { VALID_NN } from "./valid_nn.ts";
import type { Findings, Walk } from "./walker.ts";
import { assertListed } from "../guards.ts";

function numberAfter(flag: string): number {
  return Number(Deno.args.find((arg) => arg.startsWith(flag))?.slice(flag.length) ?? 1);
}

const SHARE = numberAfter("--share=");
const SEED = numberAfter("--seed=");

/** How many milliseconds a call may take, on a machine that does much else, and when it is given up. */
const LIMITS = { patience: 3000, hangs: 30_000 };

/** What a walk finds; a call that does not end is a fault, too. */
async function findingsOf(
  walk: Omit<Walk, "board" | "patience">,
  { patience, hangs } = LIMITS,
): Promise<Findings> {
  const board = new SharedArrayBuffer(1024);
  const worker = new Worker(new URL("./walker.ts", import.meta.url).href, { type: "module" });
  const current = () =>
    new TextDecoder().decode(new Uint8Array(board, 4, new Int32Array(board)[0]).slice());
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    return await new Promise<Findings>((resolve, reject) => {
      let [last, since] = ["", Date.now()];
      timer = setInterval(() => {
        const now = current();
        // Before the first call everything is loaded.
        const limit = now === "" ? 10 * hangs : hangs;
        if (now !== last) [last, since] = [now, Date.now()];
        else if (Date.now() - since > limit) {
          resolve({ calls: 0, functions: 0, faults: [`does not end: ${now}`] });
        }
      }, 100);
      worker.onmessage = ({ data }) =>
        data === "ready" ? worker.postMessage({ ...walk, patience, board }) : resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`${event.message}, in ${current()}`));
      };
    });
  } finally {
    clearInterval(timer);
    worker.terminate();
  }
}

Deno.test("misused functions say so in the library's own words", async () => {
  const { calls, functions, faults } = await findingsOf({ share: SHARE, seed: SEED });
  const shown = faults.slice(0, 25).join("\n");
  assert(faults.length === 0, `${faults.length} of ${calls} calls, with seed ${SEED}:\n${shown}`);
  assertGreater(functions, 250);
  assertGreater(calls, 50_000 * SHARE);
});

Deno.test("the walk notices messages of the engine, deaf functions, slow and endless ones", async () => {
  const limits = { patience: 1000, hangs: 1500 };
  const faultsOf = async (only: string) =>
    (await findingsOf({ share: 1, seed: SEED, only }, limits)).faults;
  const careless = await faultsOf("careless");
  assert(careless.some((fault) => fault.startsWith("careless(undefined)\n    passes on the eng")));
  const deaf = await faultsOf("deaf");
  assert(deaf.includes("deaf(new Date(0))\n    accepts it without a word"));
  assert(!deaf.some((fault) => fault.startsWith("deaf(NaN)")));
  const slow = await faultsOf("slow");
  assertEquals(slow.length, 1);
  assertMatch(slow[0]!, /^slow\(null\)\n {4}takes \d+ ms$/);
  assertEquals(await faultsOf("endless"), ['does not end: endless: argument 0 = ""']);
});

Deno.test("every function of losses, metrics, data, mpi, linalg and nn has a row with a valid call", () => {
  const named = new Set(
    [
      ...VALID_LOSSES,
      ...VALID_METRICS,
      ...VALID_DATA,
      ...validReaders(""),
      ...VALID_MPI,
      ...validCheckpoints(""),
      ...VALID_LINALG,
      ...VALID_NN,
    ].map(({ name }) => name),
  );
  // Classes, and what needs an MPI library or has no argument.
  const others = ["AnnDataFile", "Communicator", "Table", "openMpi", "singleProcess"];
  const all = [losses, metrics, data, mpi, linalg, nn].flatMap((module) => Object.keys(module));
  const missing = all.filter((name) => !named.has(name) && !others.includes(name));
  assertListed("the tables of valid calls in tests/misuse/", [], missing);
});
