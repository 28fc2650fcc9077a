import { assertEquals, assertRejects } from "@std/assert";
import * as h5wasm from "h5wasm";
import { MemoryFile } from "../../src/data/file.ts";
import { datatype, fixedText } from "../../src/data/h5_messages.ts";
import { openH5 } from "../../src/data/h5ad.ts";
import { PagedFile } from "../../src/data/paged.ts";
import type { StoredArray } from "../../src/data/store.ts";
import { resealed } from "./damage.ts";
import { branch, leaf } from "./tree.ts";
import { h5Bytes } from "./write.ts";

/** What is said of the numbers of the array `key`, by whatever kind of file they are read. */
async function complaint(bytes: Uint8Array, key: string): Promise<string> {
  const fetch = (at: number, length: number) => Promise.resolve(bytes.slice(at, at + length));
  const files = [new MemoryFile("x", bytes), new PagedFile("x", bytes.length, fetch)];
  const messages = await Promise.all(files.map(async (file) => {
    const store = await openH5(file);
    const array = await store.root.get(key) as StoredArray;
    const error = await assertRejects(() => array.readNumbers(), SyntaxError);
    store.close();
    return error.message;
  }));
  assertEquals(messages[0], messages[1]);
  return messages[0]!;
}

/** Where some bytes begin for the last time. */
function find(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = bytes.length - wanted.length; at >= 0; at--) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  throw new Error("The bytes are not there");
}

/** Where a message tells the form of numbers: offset and precision, then that of their parts. */
const [OFFSET, PRECISION, FRACTION, BIAS] = [8, 10, 15, 16];

Deno.test("HDF5's integers that do not fill their bytes are refused", async () => {
  for (const type of ["int8", "uint16", "int32", "uint64"] as const) {
    const Kind = {
      int8: Int8Array,
      uint16: Uint16Array,
      int32: Int32Array,
      uint64: BigUint64Array,
    }[type];
    const values = new Kind(300);
    const bytes = await h5Bytes(branch("x", "1", { values: leaf(values) }));
    const bits = 8 * values.BYTES_PER_ELEMENT;
    const at = find(bytes, datatype(type));
    const filled = bits - 3;
    for (const offset of [0, 1, 3]) {
      const changed = bytes.slice();
      changed[at + OFFSET] = offset;
      changed[at + PRECISION] = filled;
      assertEquals(
        await complaint(resealed(changed), "values"),
        `Cannot read "values" of "x" as its numbers fill ${filled} of ${bits} bits, and all must ` +
          "be filled to be read: write them as NumPy does",
      );
    }
  }
});

Deno.test("HDF5's floating-point numbers of other forms than IEEE 754's are refused", async () => {
  const why = (bits: number) =>
    `its floating-point numbers of ${bits} bits are not those of IEEE 754 (as bfloat16 is not): ` +
    "write them as float32";
  for (const [type, Kind] of [["float32", Float32Array], ["float64", Float64Array]] as const) {
    const bytes = await h5Bytes(branch("x", "1", { values: leaf(new Kind(300)) }));
    const at = find(bytes, datatype(type));
    for (const place of [FRACTION, BIAS]) {
      const changed = bytes.slice();
      changed[at + place]!--;
      const message = await complaint(resealed(changed), "values");
      assertEquals(message.includes(why(8 * Kind.BYTES_PER_ELEMENT)), true, message);
    }
  }
  const bytes = await Deno.readFile(new URL("h5py.h5ad", import.meta.url));
  const half = Uint8Array.of(0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0);
  bytes.set([8 - 1, 8, 0, 7, 127], find(bytes, half) + 12);
  assertEquals(
    await complaint(resealed(bytes), "layers/half"),
    `Cannot read "layers/half" of "x" as ${why(16)}`,
  );
});

/** A file of three texts of three bytes, padded by zeros or blanks. */
async function fixedTexts(texts: string, padding: 1 | 2): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("/fixed.h5", "w");
  file.create_dataset({ name: "x", data: ["abc", "abc", "abc"], dtype: "S3" });
  file.close();
  const bytes = (FS.readFile("/fixed.h5") as unknown as Uint8Array).slice();
  FS.unlink("/fixed.h5");
  const type = [0, 1].flatMap((set) => [0, 1, 2].map((own) => fixedText(3, own, set)))
    .find((type) => bytes.some((_, at) => type.every((byte, i) => bytes[at + i] === byte)))!;
  bytes.set(fixedText(3, padding, 1), find(bytes, type));
  bytes.set(new TextEncoder().encode(texts), find(bytes, new TextEncoder().encode("abcabcabc")));
  return resealed(bytes);
}

async function textsOf(bytes: Uint8Array): Promise<string[]> {
  const store = await openH5(new MemoryFile("x", bytes));
  try {
    return await (await store.root.get("x") as StoredArray).readStrings();
  } finally {
    store.close();
  }
}

Deno.test("HDF5's text of a fixed length loses what pads it, and nothing else", async () => {
  assertEquals(await textsOf(await fixedTexts("a  b\0\0 \0\0", 1)), ["a  ", "b", " "]);
  assertEquals(await textsOf(await fixedTexts("a  \u00fcb b ", 2)), ["a", "\u00fcb", " b"]);
});

Deno.test("HDF5's text that is not UTF-8 is refused, of a fixed length or not", async () => {
  const fixed = await fixedTexts("abcabcabc", 1);
  const free = await h5Bytes(branch("x", "1", { x: leaf(["abcabcabc", ""]) }));
  for (const bytes of [fixed, free]) {
    const changed = bytes.slice();
    // A letter of Latin-1, which would be the first byte of three in UTF-8.
    changed[find(bytes, new TextEncoder().encode("abcabcabc")) + 4] = 0xe9;
    const { message } = await assertRejects(() => textsOf(changed), SyntaxError);
    assertEquals(message, 'Cannot read "x" of "x" as a text in it is not UTF-8');
  }
  assertEquals(await textsOf(free), ["abcabcabc", ""]);
});
