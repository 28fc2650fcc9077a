import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { full } from "../../src/create.ts";
import { readSafetensors, writeSafetensors } from "../../src/data/safetensors.ts";
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

Deno.test("saveCheckpoint() says why it cannot write, and leaves nothing behind", () =>
  inTempDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/a.safetensors/full`, { recursive: true });
    for (
      const [path, why, kept] of [
        [`${directory}/none/a.safetensors`, "ENOENT", "there is none from before"],
        [`${directory}/a.safetensors`, "EISDIR|ENOTEMPTY", "the last complete file is kept"],
      ] as const
    ) {
      const error = await assertRejects(() => saveCheckpoint(path, { x: tensor(2) }, comm), Error);
      const pattern = new RegExp(
        `^Cannot write "${path}" as the system says: (${why}).*; ${kept}$`,
      );
      assertMatch(error.message, pattern);
    }
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["a.safetensors"]);
  }));

Deno.test("saveCheckpoint() of many at once leaves one whole file", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/a.safetensors`;
    const states = Array.from({ length: 20 }, (_, i) => ({ x: full([1000 * (i + 1)], i) }));
    await Promise.all(states.map((state) => saveCheckpoint(path, state, comm)));
    const { tensors: { x } } = await readSafetensors(path, { checksum: true });
    assertEquals(x!.size, 1000 * (x!.data[0]! + 1));
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["a.safetensors"]);
  }));

Deno.test("loadCheckpoint() refuses a file in which any one byte has changed", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/a.safetensors`;
    const state = { w: tensor([1, 2]), b: tensor(0) };
    await saveCheckpoint(path, state, comm);
    const whole = await Deno.readFile(path);
    for (const [at, byte] of whole.entries()) {
      await Deno.writeFile(path, whole.with(at, byte ^ (1 << at % 8)));
      const { message } = await assertRejects(() => loadCheckpoint(path, state, comm), Error);
      assertMatch(message, /^Cannot (read|load) "/);
    }
    await Deno.writeFile(path, writeSafetensors(state));
    const { message } = await assertRejects(() => loadCheckpoint(path, state, comm), SyntaxError);
    assertEquals(message, `Cannot read "${path}" as it has no checksum`);
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
