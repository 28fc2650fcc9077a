/** Runs in a worker of its own: misused calls, one after the other, and what is wrong with them. */
import { type BadValue, badValues, secondCopy } from "./bad_values.ts";
import { faultIn, type Outcome } from "./judge.ts";
import { METHOD_CALLS, VALID_CALLS, type ValidCall } from "./valid_calls.ts";
import { VALID_DATA, validReaders, writeFiles } from "./valid_data.ts";
import { VALID_LINALG } from "./valid_linalg.ts";
import { VALID_LOSSES } from "./valid_losses.ts";
import { VALID_METRICS } from "./valid_metrics.ts";
import { saveFirst, VALID_MPI, validCheckpoints } from "./valid_mpi.ts";
import { VALID_NN } from "./valid_nn.ts";
import { validPrograms } from "./valid_programs.ts";
import { formatCall, formatPlace, type Place, placesOf, replaced } from "./walk.ts";

/** What is to be walked. */
export interface Walk {
  /** The share of all calls to make. */
  share: number;
  /** Which of them. */
  seed: number;
  /** What a call may take at most, in milliseconds. */
  patience: number;
  /** A name for the rows of a test of the walk itself. */
  only?: string;
  /** Where the call that is being made is written, behind its length. */
  board: SharedArrayBuffer;
}

/** What was found. */
export interface Findings {
  /** How many calls were made. */
  calls: number;
  /** How many functions were called. */
  functions: number;
  /** What is wrong, with the call. */
  faults: string[];
}

/** Arguments that a function passes on, or does not look at: anything is accepted there. */
const UNREAD: Record<string, RegExp> = {
  checkGradients: /argument 1$/,
  compile: /argument 1$/,
  diagnosisTable: /\.advice$/,
  termHierarchy: /0\.merged/,
  termLabels: /0\.(names|levels|classes|membership)/,
  // Read when the function is called, as the row of vmap() does.
  vmap: /\.(in|out)Axes$/,
  shardRange: /argument 1$/,
  shardRows: /argument 1$/,
};

async function rows(folder: string): Promise<ValidCall[]> {
  await writeFiles(folder);
  await saveFirst(folder);
  return [
    // An adapter is not everywhere.
    ...VALID_CALLS.filter(({ name }) => name !== "webgpu"),
    ...METHOD_CALLS.map((call) => ({ ...call, name: `x.${call.name}` })),
    ...VALID_LOSSES,
    ...VALID_METRICS,
    ...VALID_DATA,
    ...validReaders(folder),
    ...VALID_MPI,
    ...validCheckpoints(folder),
    ...VALID_LINALG,
    ...VALID_NN,
    ...await validPrograms(),
  ];
}

async function outcomeOf({ f, args }: ValidCall, place: Place, bad: BadValue): Promise<Outcome> {
  try {
    return { value: await f(...replaced(args(), place, bad.make()) as unknown[]) };
  } catch (error) {
    return { error };
  }
}

/** Functions with a fault each, that the walk must notice. */
const FAULTY: ValidCall[] = [
  { name: "careless", f: (x) => x.length.toFixed(), args: () => [[1, 2]] },
  { name: "deaf", f: () => 1, args: () => [[1, 2]] },
  {
    name: "slow",
    f: (x) => {
      for (const end = Date.now() + (x === null ? 1100 : 0); Date.now() < end;);
      throw new TypeError("Cannot compute slow");
    },
    args: () => [[1, 2]],
  },
  {
    name: "endless",
    f: (x) => {
      while (x === "");
      throw new TypeError("Cannot compute endless");
    },
    args: () => [[1, 2]],
  },
];

async function walk({ share, seed, patience, only, board }: Walk): Promise<Findings> {
  const folder = await Deno.makeTempDir({ prefix: "cellgrad_misuse_" });
  try {
    const bad = badValues(await secondCopy());
    const all = only === undefined
      ? await rows(folder)
      : FAULTY.filter(({ name }) => name === only);
    const findings: Findings = { calls: 0, functions: all.length, faults: [] };
    const length = new Int32Array(board, 0, 1);
    const text = new Uint8Array(board, 4);
    const encoder = new TextEncoder();
    let state = seed;
    for (const row of all) {
      for (const place of placesOf(row.args())) {
        for (const value of bad) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          if (state / 2 ** 32 >= share) continue;
          const call = `${row.name}: ${formatPlace(place)} = ${value.text}`;
          const bytes = encoder.encode(call).subarray(0, text.length);
          text.set(bytes);
          length[0] = bytes.length;
          await look(row, place, value, patience, findings);
        }
      }
    }
    return findings;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function look(
  row: ValidCall,
  place: Place,
  bad: BadValue,
  patience: number,
  to: Findings,
): Promise<void> {
  to.calls++;
  const before = performance.now();
  const outcome = await outcomeOf(row, place, bad);
  const time = performance.now() - before;
  const isUnread = UNREAD[row.name]?.test(formatPlace(place)) && "value" in outcome;
  const fault = time > patience
    ? `takes ${Math.round(time)} ms`
    : isUnread
    ? undefined
    : faultIn(bad, outcome);
  if (fault === undefined) return;
  to.faults.push(`${formatCall(row.name, row.args(), place, bad.text)}\n    ${fault}`);
}

declare const self: {
  onmessage: (event: MessageEvent<Walk>) => Promise<void>;
  postMessage: (message: Findings | "ready") => void;
};

self.onmessage = async ({ data }) => {
  try {
    self.postMessage(await walk(data));
  } catch (error) {
    self.postMessage({ calls: 0, functions: 0, faults: [(error as Error).stack!] });
  }
};

self.postMessage("ready");
