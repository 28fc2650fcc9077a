/**
 * Files with damage are read, or refused in the library's own words; they end, either way.
 *
 * `deno test … tests/data/damaged_test.ts -- --times=20 --seed=3` tries more of them.
 */
import { openAnnData, openCells, readNpz } from "@cellgrad/cellgrad/data";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { cells } from "./tree.ts";
import { variants } from "./variants.ts";
import { h5Bytes } from "./write.ts";

function numberAfter(flag: string, otherwise: number): number {
  return Number(Deno.args.find((arg) => arg.startsWith(flag))?.slice(flag.length) ?? otherwise);
}

const TIMES = numberAfter("--times=", 1);
const SEED = numberAfter("--seed=", 2);

/** The numbers below 1 of a seed, as a linear congruential generator makes them. */
function numbersOf(seed: number): () => number {
  return () => (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32;
}

/** Bytes with a few bits turned, a stretch overwritten, cut or repeated. */
function damaged(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = Math.floor(random() * bytes.length);
  const length = Math.floor(random() * 40);
  const kind = Math.floor(random() * 10);
  if (kind === 0) return bytes.slice(0, Math.max(1, at));
  if (kind === 1) {
    const repeated = bytes.subarray(at, at + length);
    return Uint8Array.of(...bytes.subarray(0, at), ...repeated, ...bytes.subarray(at));
  }
  const changed = new Uint8Array(bytes);
  if (kind === 2) return changed.fill(Math.floor(random() * 256), at, at + length);
  for (let turned = 0; turned <= kind % 3; turned++) {
    changed[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
  }
  return changed;
}

async function readAll(name: string, bytes: Uint8Array): Promise<void> {
  if (name.endsWith(".npz")) await readNpz(new Uint8Array(bytes));
  const options = name.endsWith(".h5mu") ? { modality: "rna" } : {};
  await using file = await openCells(bytes, options);
  await file.obsNames();
  await file.varNames();
  for (const column of file.keys.obs) await file.obs(column);
  await file.X.read();
}

const FAMILIES: [ending: RegExp, cases: number][] = [
  [/\.h5ad$/, 300],
  [/\.(loom|h5|h5mu)$/, 500],
  [/\.zip$/, 500],
  [/\.npz$/, 500],
  [/\.(csv|csv\.gz)$/, 500],
];

for (const [ending, cases] of FAMILIES) {
  Deno.test(`damaged files ${ending} are read, or refused in the library's own words`, async () => {
    const files = [...await variants()].filter(([name]) => ending.test(name));
    const random = numbersOf(SEED);
    let refused = 0;
    for (let i = 0; i < TIMES * cases; i++) {
      const [name, bytes] = files[Math.floor(random() * files.length)]!;
      try {
        await readAll(name, damaged(bytes, random));
      } catch (error) {
        refused++;
        assert(error instanceof Error);
        assertMatch(error.message, /^Cannot /, `${name}, case ${i} of seed ${SEED}`);
      }
    }
    assert(refused > 0);
  });
}

Deno.test("a heap of texts in which the HDF5 library would never end is refused", async () => {
  const bytes = await h5Bytes(cells());
  const heap = bytes.findIndex((_, at) =>
    String.fromCharCode(...bytes.subarray(at, at + 4)) === "GCOL"
  );
  const whole = new DataView(bytes.buffer, bytes.byteOffset);
  const faults: [name: string, change: (view: DataView) => void][] = [
    ["more than the file", (view) => view.setBigUint64(heap + 8, BigInt(bytes.length))],
    ["an entry of more than the heap", (view) => view.setUint32(heap + 28, 1, true)],
    ["an entry beyond 32 bits", (view) => {
      view.setUint32(heap + 12, 1, true);
      view.setUint32(heap + 28, 1, true);
    }],
    ["free space of no length", (view) => {
      view.setUint16(heap + 16, 0, true);
      view.setBigUint64(heap + 24, 0n, true);
    }],
  ];
  assert(whole.getUint16(heap + 16, true) > 0);
  for (const [name, change] of faults) {
    const broken = bytes.slice();
    change(new DataView(broken.buffer));
    const { message } = await assertRejects(() => openAnnData(broken), SyntaxError);
    assertEquals(
      message,
      'Cannot read "the bytes" as a heap of its names or texts is damaged',
      name,
    );
  }
});

Deno.test("a heap of names whose free blocks come round again is refused", async () => {
  const bytes = (await variants()).get("plain.loom")!;
  const heaps = [...bytes.keys()].filter((at) =>
    String.fromCharCode(...bytes.subarray(at, at + 4)) === "HEAP"
  );
  const broken = new Uint8Array(bytes);
  const view = new DataView(broken.buffer);
  for (const heap of heaps) {
    const [first, data] = [heap + 16, heap + 24].map((at) => Number(view.getBigUint64(at, true)));
    if (first! < view.getUint32(heap + 8, true)) view.setUint32(data! + first!, first!, true);
  }
  assert(heaps.length > 1);
  const { message } = await assertRejects(() => openCells(broken), SyntaxError);
  assertMatch(message, /^Cannot read .*"the bytes" as a heap of its names or texts is damaged$/);
});

Deno.test("readNpz() names the array whose part of the archive is damaged", async () => {
  const name = "scipy_csr_plain.npz";
  const bytes = (await variants()).get(name)!.slice();
  bytes[2]! ^= 1;
  const { message } = await assertRejects(() => readNpz(bytes), SyntaxError);
  assertStringIncludes(message, 'of "the bytes" as its zip archive is damaged: ');
});
