import { assertEquals, assertRejects } from "@std/assert";
import { MemoryFile } from "../../src/data/file.ts";
import { datatype } from "../../src/data/h5_messages.ts";
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
          "be filled to be read: write them as ones of NumPy",
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
