/**
 * A training job with checkpoints, as one rank of it: `ranks_training.ts DIRECTORY STEPS NOISE FAULT`.
 * The fault is what happens to rank 1 after step 7, or `none`.
 */
import { foldIn, gather, key, permutation } from "../../mod.ts";
import { loadCheckpoint, openMpi, saveCheckpoint, shardRows } from "../../src/mpi/mod.ts";
import { CELLS, PARAMS } from "./cells.ts";
import { trainingOf } from "./training_scenarios.ts";

const [directory, steps, noise, fault] = Deno.args as [string, string, string, string];

await using comm = await openMpi();
await Deno.writeTextFile(`${directory}/pid-${comm.rank}`, `${Deno.pid}`);
const training = trainingOf(comm, Number(noise));
const path = `${directory}/state.safetensors`;
const start = training.start(PARAMS, key(5));
let state = await loadCheckpoint(path, start, comm) ?? start;
while (state.step.item() < Number(steps)) {
  const order = permutation(foldIn(key(9), state.step), 23).slice(0, 17);
  const rows = shardRows(order, comm);
  const share = { cells: gather(CELLS.cells, rows), batches: gather(CELLS.batches, rows) };
  ({ state } = training.step(state, share));
  const made = state.step.item();
  if (made % 5 === 0) await saveCheckpoint(path, state, comm);
  if (made === 7 && comm.rank === 1) await suffer();
}

async function suffer(): Promise<void> {
  if (fault === "throw") throw new RangeError("the cells are gone");
  if (fault === "exit") Deno.exit(3);
  if (fault === "reject") {
    Promise.reject(new RangeError("nobody waits for me"));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (fault === "drift") {
    state = { ...state, params: { ...state.params, bias: state.params.bias.add(1e-15) } };
  }
}
