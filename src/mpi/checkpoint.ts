/**
 * Training states in files, from which any number of ranks goes on.
 *
 * @module
 */
import { readSafetensors, writeSafetensors } from "../data/safetensors.ts";
import { checkText } from "../options.ts";
import { formatShape } from "../shape.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { flattenTree } from "../tree.ts";
import { checkCommunicator, type Communicator } from "./communicator.ts";
import { namedLeaves } from "./names.ts";

/**
 * Writes a training state, or any tree of tensors, to a safetensors file. Rank 0 writes; all ranks
 * call. The file appears at once and whole, with a checksum: a job that is killed at any moment
 * leaves the last complete one, and so does one that finds the disk full. Needs `--allow-write`
 * (rank 0).
 *
 * @param path The file's path. While it is written, its bytes are in a file beside it, whose name is
 * another one for every call and ends in `.partial`.
 * @param state What to write; tensors are named by their path, `params.layers.0.weight`.
 * @param comm The ranks.
 * @returns When the file is on the disk.
 * @throws {TypeError} If two tensors have the same path.
 * @throws {Error} On rank 0, if the file cannot be written; says why, and whether one is kept.
 *
 * @example Write and go on from there
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { loadCheckpoint, saveCheckpoint, singleProcess } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * await using comm = singleProcess();
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * await saveCheckpoint(path, { weight: tensor([1, 2]) }, comm);
 * const state = await loadCheckpoint(path, { weight: tensor([0, 0]) }, comm);
 * assertEquals(state?.weight.toArray(), [1, 2]);
 * await Deno.remove(path);
 * ```
 */
export async function saveCheckpoint<T>(
  path: string,
  state: T,
  comm: Communicator,
): Promise<void> {
  checkPath("saveCheckpoint", path);
  checkCommunicator("saveCheckpoint", comm);
  const tensors = Object.fromEntries(namedLeaves("saveCheckpoint", state));
  if (comm.rank !== 0) return;
  const bytes = writeSafetensors(tensors, { checksum: true });
  try {
    await writeWhole(path, bytes);
  } catch (cause) {
    const { existsSync } = await import("node:fs");
    const kept = existsSync(path) ? "the last complete file is kept" : "there is none from before";
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot write "${path}" as the system says: ${reason}; ${kept}`, { cause });
  }
}

function checkPath(caller: string, path: unknown): void {
  checkText(caller, "path", path);
  if (path !== "") return;
  throw new TypeError(`Cannot compute ${caller} as path must name a file: current value is ""`);
}

/** Writes a file beside it, and puts it in its place when all of it has reached the disk. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const { open, rename, rm } = await import("node:fs/promises");
  const partial = `${path}.${crypto.randomUUID()}.partial`;
  try {
    const file = await open(partial, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw error;
  }
}

/**
 * Reads a training state, or any tree of tensors, that {@linkcode saveCheckpoint} wrote. Rank 0
 * reads and gives it to the others, so only its machine needs the file. The number of ranks may be
 * another than that which wrote. Needs `--allow-read` (rank 0).
 *
 * @param path The file's path.
 * @param like A state of the same branches, shapes and types, such as that before the first step.
 * @param comm The ranks.
 * @returns The state, or `undefined` where there is no such file.
 * @throws {SyntaxError} On rank 0, if the file is not whole, or its checksum shows that a byte has
 * changed.
 * @throws {TypeError} On rank 0, if the file holds other tensors than `like`.
 *
 * @example Going on, or starting
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { loadCheckpoint, singleProcess } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * await using comm = singleProcess();
 * const start = { weight: tensor([0, 0]) };
 * const state = await loadCheckpoint("no-such.safetensors", start, comm) ?? start;
 * assertEquals(state, start);
 * ```
 */
export async function loadCheckpoint<T>(
  path: string,
  like: T,
  comm: Communicator,
): Promise<T | undefined> {
  checkPath("loadCheckpoint", path);
  checkCommunicator("loadCheckpoint", comm);
  const { leaves, rebuild } = flattenTree("loadCheckpoint", like);
  const read = comm.rank === 0 ? await readLeaves(path, like) : undefined;
  const found = comm.broadcast(fromData(Int32Array.of(read === undefined ? 0 : 1), []));
  if (found.item() === 0) return undefined;
  return rebuild(comm.broadcast(read ?? leaves)) as T;
}

/** The tensors of the file in the order of those of a tree; `undefined` where there is no file. */
async function readLeaves(path: string, like: unknown): Promise<Tensor[] | undefined> {
  const { existsSync } = await import("node:fs");
  if (!existsSync(path)) return undefined;
  const { tensors } = await readSafetensors(path, { checksum: true });
  const expected = namedLeaves("loadCheckpoint", like);
  const describe = (x: Tensor | undefined) =>
    x === undefined ? "none" : `${x.dtype} ${formatShape(x.shape)}`;
  const names = new Set([...expected.keys(), ...Object.keys(tensors)]);
  for (const name of names) {
    const [own, stored] = [expected.get(name), tensors[name]];
    if (describe(own) === describe(stored)) continue;
    throw new TypeError(
      `Cannot load "${path}" as its tensors must be those of the state: "${name}" is ` +
        `${describe(stored)} there and ${describe(own)} here`,
    );
  }
  return [...expected.keys()].map((name) => tensors[name]!);
}
