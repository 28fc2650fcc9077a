import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { readSafetensors, writeSafetensors } from "../../src/data/safetensors.ts";
import type { DType } from "../../src/dtype.ts";
import { tensor } from "../../src/tensor.ts";
import { inTempDirectory } from "./write.ts";

/** A file with this header and these bytes behind it. */
function file(header: string, body: ArrayLike<number> = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer);
  return Uint8Array.of(...length, ...text, ...Array.from(body));
}

function entry(dtype: string, shape: number[], offsets: number[]): string {
  return JSON.stringify({ x: { dtype, shape, data_offsets: offsets } });
}

async function complaint(bytes: Uint8Array): Promise<string> {
  return (await assertRejects(() => readSafetensors(bytes), SyntaxError)).message;
}

/** What `save` of Python's safetensors 0.8.0 makes of `{"a": np.arange(3, dtype="f4")}` and `{"k": "v"}`. */
const SAMPLE = Uint8Array.fromBase64(
  "UAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJrIjoidiJ9LCJhIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlszXSwi" +
    "ZGF0YV9vZmZzZXRzIjpbMCwxMl19fQAAAAAAAIA/AAAAQA==",
);

Deno.test("readSafetensors() reads what Python's safetensors saves", async () => {
  const { tensors, metadata } = await readSafetensors(SAMPLE);
  assertEquals([tensors.a!.dtype, tensors.a!.toArray()], ["float32", [0, 1, 2]]);
  assertEquals(metadata, { k: "v" });
});

Deno.test("readSafetensors() gives back what writeSafetensors() is given, for any names, types and shapes", () => {
  const values = fc.tuple(
    fc.constantFrom<DType>("float32", "float64", "int32", "bool"),
    fc.array(fc.nat(3), { maxLength: 3 }),
  ).chain(([dtype, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const bits = fc.array(fc.nat(1), { minLength: size, maxLength: size });
    return bits.map((data) => tensor(new Float64Array(data), { shape, dtype }));
  });
  const name = fc.string({ maxLength: 8 }).filter((text) => text !== "__metadata__");
  return fc.assert(
    fc.asyncProperty(
      fc.dictionary(name, values, { maxKeys: 5 }),
      fc.dictionary(fc.string({ maxLength: 5 }), fc.string(), { maxKeys: 3 }),
      async (tensors, metadata) => {
        const read = await readSafetensors(writeSafetensors(tensors, { metadata }));
        assertEquals(Object.keys(read.tensors).sort(), Object.keys(tensors).sort());
        for (const [key, x] of Object.entries(tensors)) {
          const found = read.tensors[key]!;
          assertEquals([found.dtype, found.shape, found.data], [x.dtype, x.shape, x.data]);
        }
        assertEquals({ ...read.metadata }, { ...metadata });
      },
    ),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("writeSafetensors() writes the bytes that Python's safetensors does", () => {
  const bytes = writeSafetensors({ a: tensor([0, 1, 2]) }, { metadata: { k: "v" } });
  assertEquals(bytes, SAMPLE);
});

Deno.test("writeSafetensors() aligns every tensor to its numbers", () => {
  const bytes = writeSafetensors({
    flags: tensor([true, false, true]),
    labels: tensor([1], { dtype: "int32" }),
    exact: tensor(new Float64Array([0.1])),
  });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  assertEquals(length % 8, 0);
  assertEquals(header.exact.data_offsets, [0, 8]);
  assertEquals(header.labels.data_offsets, [8, 12]);
  assertEquals(header.flags.data_offsets, [12, 15]);
});

Deno.test("writeSafetensors() keeps all bits, of negative zero and NaN too", async () => {
  const x = new Float64Array(new BigUint64Array([1n << 63n, 0x7ff8000000000001n, 1n]).buffer);
  const { tensors } = await readSafetensors(writeSafetensors({ x }));
  const bits = new BigUint64Array(tensors.x!.data.slice().buffer as ArrayBuffer);
  assertEquals([...bits], [1n << 63n, 0x7ff8000000000001n, 1n]);
});

Deno.test("readSafetensors() reads half precision as float32", async () => {
  const halves = [0x3c00, 0xc000, 0x0001, 0x7c00, 0x8000, 0x3555, 0x7e00];
  const body = new Uint8Array(Uint16Array.from(halves).buffer);
  const { tensors } = await readSafetensors(file(entry("F16", [7], [0, 14]), body));
  assertEquals([...tensors.x!.data], [1, -2, 2 ** -24, Infinity, -0, 0.333251953125, NaN]);
});

Deno.test("readSafetensors() reads bfloat16 as float32", async () => {
  const body = new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x7f80).buffer);
  const { tensors } = await readSafetensors(file(entry("BF16", [3], [0, 6]), body));
  assertEquals(tensors.x!.toArray(), [1, -2, Infinity]);
});

Deno.test("readSafetensors() reads integers of other sizes as int32", async () => {
  const body = new Uint8Array(BigInt64Array.of(-5n, 7n).buffer);
  const { tensors } = await readSafetensors(file(entry("I64", [2], [0, 16]), body));
  assertEquals([tensors.x!.dtype, tensors.x!.toArray()], ["int32", [-5, 7]]);
  const small = await readSafetensors(file(entry("U8", [2], [0, 2]), [3, 255]));
  assertEquals(small.tensors.x!.toArray(), [3, 255]);
});

Deno.test("readSafetensors() rejects integers that int32 cannot hold, naming the tensor", async () => {
  const body = new Uint8Array(Uint32Array.of(2 ** 31).buffer);
  const error = await assertRejects(
    () => readSafetensors(file(entry("U32", [1], [0, 4]), body)),
    RangeError,
  );
  assertEquals(
    error.message,
    'Cannot read the tensor "x" of the bytes as int32 cannot hold its values: they must be in ' +
      "[-2147483648, 2147483647]: current value is 2147483648",
  );
});

Deno.test("readSafetensors() reads a file, and names it in messages", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/model.safetensors`;
    await Deno.writeFile(path, SAMPLE);
    assertEquals((await readSafetensors(path)).tensors.a!.toArray(), [0, 1, 2]);
    await Deno.writeFile(path, file("{"));
    const error = await assertRejects(() => readSafetensors(path), SyntaxError);
    assertEquals(error.message, `Cannot read "${path}" as its header must be JSON in UTF-8`);
  }));

Deno.test("readSafetensors() reads bytes that begin within a buffer", async () => {
  const padded = new Uint8Array(SAMPLE.length + 3);
  padded.set(SAMPLE, 3);
  const { tensors } = await readSafetensors(padded.subarray(3));
  assertEquals(tensors.a!.toArray(), [0, 1, 2]);
});

Deno.test("readSafetensors() keeps names that objects have already", async () => {
  const { tensors } = await readSafetensors(
    file('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', [9]),
  );
  assertEquals(Object.keys(tensors), ["__proto__"]);
});

Deno.test("readSafetensors() rejects what is no safetensors file", async () => {
  assertEquals(
    await complaint(Uint8Array.of(1, 2, 3)),
    "Cannot read the bytes as it is not a safetensors file: it has only 3 bytes",
  );
  const announced = Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0, 1, 2);
  assertEquals(
    await complaint(announced),
    "Cannot read the bytes as it is not a safetensors file, or cut off: its first 8 bytes " +
      "announce a header of 256 bytes, and 2 follow",
  );
  assertEquals(
    await complaint(file("[]")),
    "Cannot read the bytes as its header must be a JSON object",
  );
  assertEquals(
    await complaint(file('{"__metadata__":{"step":7}}')),
    "Cannot read the bytes as its __metadata__ must hold texts only",
  );
});

Deno.test("readSafetensors() rejects headers that do not fit the bytes", async () => {
  assertEquals(
    await complaint(file('{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}')),
    'Cannot read the bytes as its header must give the tensor "x" dtype, shape and data_offsets: ' +
      'current value is {"dtype":"F32","shape":[-1],"data_offsets":[0,4]}',
  );
  assertEquals(
    await complaint(file(entry("F8_E4M3", [1], [0, 1]), [0])),
    'Cannot read the bytes as the type of the tensor "x" must be one of BOOL, I8, U8, I16, U16, ' +
      "I32, U32, I64, U64, F16, BF16, F32, F64: current type is F8_E4M3",
  );
  assertEquals(
    await complaint(file(entry("F32", [2], [0, 4]), [0, 0, 0, 0])),
    'Cannot read the bytes as the tensor "x" of shape [2] and type F32 needs 8 bytes: ' +
      "its data_offsets are [0, 4]",
  );
  assertEquals(
    await complaint(file(entry("U8", [1], [1, 2]), [0, 0])),
    'Cannot read the bytes as its tensors must lie one behind the other: "x" begins at 1, ' +
      "and the one before ends at 0",
  );
  assertEquals(
    await complaint(file(entry("U8", [1], [0, 1]), [0, 0])),
    "Cannot read the bytes as its tensors take 1 bytes after the header: there are 2",
  );
});

Deno.test("readSafetensors() rejects every cut of a file", async () => {
  for (let length = 0; length < SAMPLE.length; length++) {
    await assertRejects(() => readSafetensors(SAMPLE.subarray(0, length)), SyntaxError);
  }
});

Deno.test("writeSafetensors() rejects a tensor named like the texts", () => {
  const error = assertThrows(() => writeSafetensors({ __metadata__: [1] }), TypeError);
  assertEquals(
    error.message,
    "Cannot compute writeSafetensors as no tensor can be named __metadata__: " +
      "the format keeps this name for texts",
  );
});

Deno.test("writeSafetensors() rejects metadata that is no text", () => {
  const error = assertThrows(
    () => writeSafetensors({}, { metadata: { step: 3 as unknown as string } }),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot compute writeSafetensors as metadata.step must be a string: current value is 3",
  );
});

Deno.test("readSafetensors() finds any one changed byte by the checksum", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.float(), { minLength: 1, maxLength: 9 }),
      fc.dictionary(fc.string(), fc.string(), { maxKeys: 3, noNullPrototype: true }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (values, metadata, position, change) => {
        const x = tensor(values);
        const bytes = writeSafetensors({ x }, { metadata, checksum: true });
        const found = await readSafetensors(bytes, { checksum: true });
        assertEquals([found.tensors.x!.data, found.metadata], [x.data, metadata]);
        const at = position % bytes.length;
        const spoilt = bytes.with(at, bytes[at]! ^ change);
        await assertRejects(() => readSafetensors(spoilt, { checksum: true }), SyntaxError);
      },
    ),
    { seed: 1, numRuns: 300 },
  ));

Deno.test("readSafetensors() compares a checksum that is there, and misses one where it must be", async () => {
  const bytes = writeSafetensors({ x: tensor([1]) }, { checksum: true });
  const spoilt = bytes.with(bytes.length - 1, 1);
  const { message } = await assertRejects(() => readSafetensors(spoilt), SyntaxError);
  assertMatch(
    message,
    /^Cannot read the bytes as a byte of it has changed: the checksum was [0-9a-f]{16}, and is now [0-9a-f]{16}$/,
  );
  const plain = writeSafetensors({ x: tensor([1]) });
  await readSafetensors(plain);
  const missing = await assertRejects(() => readSafetensors(plain, { checksum: true }));
  assertEquals((missing as Error).message, "Cannot read the bytes as it has no checksum");
});
