/**
 * Training on many ranks must be that of one process.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { mmdLoss, type Tensor, tensor, treeLeaves } from "../../mod.ts";
import {
  checkIdentical,
  type Communicator,
  type DataParallel,
  dataParallel,
  loadCheckpoint,
  saveCheckpoint,
  shardRows,
  singleProcess,
} from "../../src/mpi/mod.ts";
import { adam } from "../../src/optim/mod.ts";
import { key, uniform } from "../../src/random.ts";
import { assertNear, CELLS, embed, float64, PARAMS, type Params, type Share } from "./cells.ts";
import type { Scenario } from "./scenarios.ts";

/** Some training; with noise, by each rank's own key, where that is wanted. */
export function trainingOf(comm: Communicator, noise = 0): DataParallel<Params, Share> {
  const loss = (p: Params, { cells, batches }: Share, own: Tensor) => {
    const noisy = cells.add(uniform(own, cells.shape, float64).mul(noise));
    const embedded = embed(p, noisy);
    const mixing = mmdLoss(comm.allGather(embedded), comm.allGather(batches));
    return embedded.square().mean().add(mixing);
  };
  return dataParallel(loss, comm, { optimizer: adam({ learningRate: 0.02 }), checkEvery: 2 });
}

function train(comm: Communicator, steps: number) {
  const training = trainingOf(comm);
  let state = training.start(PARAMS, key(5));
  const share = shardRows(CELLS, comm);
  const values: Tensor[] = [];
  for (let i = 0; i < steps; i++) {
    const made = training.step(state, share);
    state = made.state;
    values.push(made.value);
  }
  return { state, values };
}

/** What training must keep to. */
export const trainingScenarios: [string, Scenario][] = [
  ["training is that of one process", (comm) => {
    const [found, expected] = [train(comm, 9), train(singleProcess(), 9)];
    assertNear(found.state.params, expected.state.params, 1e-10);
    assertNear(found.values, expected.values, 1e-10);
    assertEquals(found.state.step.item(), 9);
  }],
  ["all ranks start with the parameters and the key of rank 0", (comm) => {
    const own = { ...PARAMS, bias: PARAMS.bias.add(comm.rank) };
    const state = trainingOf(comm).start(own, key(comm.rank));
    assertEquals(state.params.bias.data, PARAMS.bias.data);
    assertEquals(state.key.data, key(0).data);
  }],
  ["every rank and step has a random key of its own", (comm) => {
    const keys: Tensor[] = [];
    const loss = (p: Tensor, share: Tensor, own: Tensor) => {
      keys.push(own);
      return share.mul(p).mean();
    };
    const training = dataParallel(loss, comm, { optimizer: adam({ learningRate: 0.1 }) });
    let state = training.start(tensor(1), key(0));
    for (let i = 0; i < 3; i++) ({ state } = training.step(state, tensor([1])));
    const all = comm.allGather(keys.map((own) => [...own.data])).toArray() as number[][];
    assertEquals(new Set(all.map(String)).size, 3 * comm.size);
  }],
  ["a parameter that differs is found, with its name and rank", (comm) => {
    const { state } = train(comm, 1);
    checkIdentical(state, comm);
    if (comm.size === 1) return;
    for (let rank = 0; rank < comm.size; rank++) {
      const wrong = comm.rank === rank ? 1e-15 : 0;
      const spoiled = { ...state, params: { ...state.params, bias: state.params.bias.add(wrong) } };
      // Of two, the first is believed; of more, the most.
      const [blamed, believed] = comm.size === 2 ? [1, 0] : [rank, rank === 0 ? 1 : 0];
      assertEquals(
        assertThrows(() => checkIdentical(spoiled, comm), Error).message,
        `Cannot continue as all ranks must hold the same bits: "params.bias" differs on rank ` +
          `${blamed} of ${comm.size} from rank ${believed}`,
      );
    }
  }],
  ["a checkpoint gives back the state, bit for bit", async (comm, directory) => {
    const path = `${directory}/state-${comm.size}.safetensors`;
    const { state } = train(comm, 3);
    assertEquals(await loadCheckpoint(`${path}.missing`, state, comm), undefined);
    await saveCheckpoint(path, state, comm);
    const loaded = await loadCheckpoint(path, train(comm, 1).state, comm);
    assertEquals(
      treeLeaves(loaded).map((x) => [x.dtype, x.shape, x.data]),
      treeLeaves(state).map((x) => [x.dtype, x.shape, x.data]),
    );
  }],
];
