import { assertEquals, assertRejects } from "@std/assert";
import { readSafetensors } from "../../src/data/safetensors.ts";
import { loadCheckpoint, saveCheckpoint, singleProcess } from "../../src/mpi/mod.ts";
import { tensor } from "../../src/tensor.ts";
import { inTempDirectory } from "../data/write.ts";

const comm = singleProcess();

Deno.test("saveCheckpoint() names tensors by their path", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/a.safetensors`;
    const state = { params: { layers: [{ w: tensor([1]) }, { w: tensor([2]) }] }, step: tensor(3) };
    await saveCheckpoint(path, state, comm);
    const { tensors } = await readSafetensors(path);
    assertEquals(Object.keys(tensors), ["params.layers.0.w", "params.layers.1.w", "step"]);
  }));

Deno.test("saveCheckpoint() leaves nothing but the file, and replaces what was there", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/a.safetensors`;
    for (const value of [1, 2]) await saveCheckpoint(path, { x: tensor(value) }, comm);
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["a.safetensors"]);
    assertEquals((await loadCheckpoint(path, { x: tensor(0) }, comm))?.x.item(), 2);
  }));

Deno.test("saveCheckpoint() keeps the last whole file where writing the next fails", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/a.safetensors`;
    await saveCheckpoint(path, { x: tensor(1) }, comm);
    await Deno.mkdir(`${path}.partial`);
    await assertRejects(() => saveCheckpoint(path, { x: tensor(2) }, comm), Error);
    assertEquals((await loadCheckpoint(path, { x: tensor(0) }, comm))?.x.item(), 1);
  }));

Deno.test("saveCheckpoint() rejects paths that cannot be told apart", () =>
  inTempDirectory(async (directory) => {
    const state = { "a.b": tensor(1), a: { b: tensor(2) } };
    const error = await assertRejects(
      () => saveCheckpoint(`${directory}/a.safetensors`, state, comm),
      TypeError,
    );
    assertEquals(
      error.message,
      'Cannot compute saveCheckpoint as two tensors have the path "a.b": ' +
        "keys with dots cannot be told from branches",
    );
  }));

Deno.test("loadCheckpoint() rejects a state of other tensors, naming the first", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/a.safetensors`;
    await saveCheckpoint(path, { w: tensor([1, 2]), b: tensor(0) }, comm);
    const complaint = async (like: unknown) =>
      (await assertRejects(() => loadCheckpoint(path, like, comm), TypeError)).message;
    const start = `Cannot load "${path}" as its tensors must be those of the state: `;
    assertEquals(
      await complaint({ w: tensor([1, 2, 3]), b: tensor(0) }),
      `${start}"w" is float32 [2] there and float32 [3] here`,
    );
    assertEquals(
      await complaint({ w: tensor([1, 2]) }),
      `${start}"b" is float32 [] there and none here`,
    );
    assertEquals(
      await complaint({ w: tensor([1, 2]), b: tensor(0), c: tensor(0) }),
      `${start}"c" is none there and float32 [] here`,
    );
  }));
