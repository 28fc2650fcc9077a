import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { readNpy, writeNpy } from "../../src/data/npy.ts";
import type { DType } from "../../src/dtype.ts";
import { tensor } from "../../src/tensor.ts";
import { inTempDirectory } from "./write.ts";

/** A file as NumPy lays it out. */
function npy(
  header: string,
  body: ArrayBuffer,
  version: readonly [number, number] = [1, 0],
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(`${header}\n`);
  const length = version[0] === 1
    ? new Uint8Array(Uint16Array.of(text.length).buffer)
    : new Uint8Array(Uint32Array.of(text.length).buffer);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  return Uint8Array.of(...magic, ...version, ...length, ...text, ...new Uint8Array(body));
}

function header(description: string, shape: string, fortranOrder = false): string {
  const order = fortranOrder ? "True" : "False";
  return `{'descr': '${description}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
}

/** The bytes of numbers in the opposite byte order. */
function swapped(
  values: ArrayBufferView<ArrayBuffer> & { BYTES_PER_ELEMENT: number },
): ArrayBuffer {
  const bytes = new Uint8Array(values.buffer.slice(0));
  const width = values.BYTES_PER_ELEMENT;
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  return bytes.buffer;
}

async function complaint(bytes: Uint8Array): Promise<string> {
  return (await assertRejects(() => readNpy(bytes), SyntaxError)).message;
}

/** What `np.save` of NumPy 2.4 makes of `np.arange(6, dtype="<f4").reshape(2, 3)`. */
const SAVED_BY_NUMPY =
  "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLC" +
  "B9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACA" +
  "PwAAAEAAAEBAAACAQAAAoEA=";

Deno.test("readNpy() reads what NumPy saves", async () => {
  const x = await readNpy(Uint8Array.fromBase64(SAVED_BY_NUMPY));
  assertEquals([x.dtype, x.toArray()], ["float32", [[0, 1, 2], [3, 4, 5]]]);
});

Deno.test("writeNpy() writes the bytes that NumPy does", () => {
  const bytes = writeNpy(tensor([[0, 1, 2], [3, 4, 5]]));
  assertEquals(bytes.toBase64(), SAVED_BY_NUMPY);
});

Deno.test("readNpy() gives back what writeNpy() is given, for any type and shape", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom<DType>("float32", "float64", "int32", "bool"),
      fc.array(fc.nat(4), { maxLength: 4 }),
      fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), {
        minLength: 256,
        maxLength: 256,
      }),
      async (dtype, shape, numbers) => {
        const size = shape.reduce((a, b) => a * b, 1);
        const values = numbers.slice(0, size).map((v) => dtype === "bool" ? v & 1 : v);
        const data = { float32: Float32Array, float64: Float64Array, int32: Int32Array }[
          dtype === "bool" ? "int32" : dtype
        ].from(values);
        const x = tensor(data, { shape, dtype });
        const y = await readNpy(writeNpy(x));
        assertEquals([y.dtype, y.shape, y.data], [dtype, shape, x.data]);
      },
    ),
    { seed: 1, numRuns: 200 },
  ));

Deno.test("writeNpy() begins the values at a multiple of 64 bytes", () => {
  for (const shape of [[], [3], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3]]) {
    const size = shape.reduce((a, b) => a * b, 1);
    const bytes = writeNpy(tensor(new Float64Array(size), { shape }));
    assertEquals((bytes.length - size * 8) % 64, 0);
  }
});

Deno.test("readNpy() keeps NaN and infinities bit for bit", async () => {
  const values = Float64Array.of(NaN, Infinity, -Infinity, -0, 5e-324);
  assertEquals((await readNpy(writeNpy(tensor(values)))).data, values);
});

for (
  const [code, values, expected] of [
    ["f4", Float32Array.of(1.5, -2), Float32Array.of(1.5, -2)],
    ["f8", Float64Array.of(1.5, -2), Float64Array.of(1.5, -2)],
    ["i1", Int8Array.of(1, -2), Int32Array.of(1, -2)],
    ["u1", Uint8Array.of(1, 254), Int32Array.of(1, 254)],
    ["i2", Int16Array.of(1, -300), Int32Array.of(1, -300)],
    ["u2", Uint16Array.of(1, 65535), Int32Array.of(1, 65535)],
    ["i4", Int32Array.of(1, -70000), Int32Array.of(1, -70000)],
    ["u4", Uint32Array.of(1, 70000), Int32Array.of(1, 70000)],
    ["i8", BigInt64Array.of(1n, -70000n), Int32Array.of(1, -70000)],
    ["u8", BigUint64Array.of(1n, 70000n), Int32Array.of(1, 70000)],
    ["b1", Uint8Array.of(1, 0), Uint8Array.of(1, 0)],
  ] as const
) {
  Deno.test(`readNpy() reads little- and big-endian ${code}`, async () => {
    const little = await readNpy(npy(header(`<${code}`, "(2,)"), values.buffer));
    const big = await readNpy(npy(header(`>${code}`, "(2,)"), swapped(values)));
    assertEquals([little.data, big.data], [expected, expected]);
  });
}

for (const version of [[1, 0], [2, 0], [3, 0]] as const) {
  Deno.test(`readNpy() reads version ${version.join(".")} of the format`, async () => {
    const bytes = npy(header("<f4", "(1, 2)"), Float32Array.of(1, 2).buffer, version);
    assertEquals((await readNpy(bytes)).toArray(), [[1, 2]]);
  });
}

Deno.test("readNpy() puts values in Fortran order in C order", async () => {
  const values = Float32Array.of(0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22);
  const x = await readNpy(npy(header("<f4", "(2, 3, 3)", true), values.buffer));
  assertEquals(x.toArray(), [
    [[0, 1, 2], [4, 5, 6], [8, 9, 10]],
    [[12, 13, 14], [16, 17, 18], [20, 21, 22]],
  ]);
});

Deno.test("readNpy() reads a number without axes, and an array without values", async () => {
  assertEquals((await readNpy(npy(header("<f8", "()"), Float64Array.of(7).buffer))).toArray(), 7);
  const empty = await readNpy(npy(header("<f8", "(0, 3)", true), new ArrayBuffer(0)));
  assertEquals(empty.shape, [0, 3]);
});

Deno.test("readNpy() reads extents that Python 2 wrote as long integers", async () => {
  const bytes = npy(header("<f4", "(2L,)"), Float32Array.of(1, 2).buffer);
  assertEquals((await readNpy(bytes)).shape, [2]);
});

Deno.test("readNpy() reads bytes that begin at an odd position of a buffer", async () => {
  const bytes = writeNpy(tensor([1, 2, 3]));
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  assertEquals((await readNpy(shifted.subarray(3))).toArray(), [1, 2, 3]);
});

Deno.test("readNpy() reads a file", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/x.npy`;
    await Deno.writeFile(path, writeNpy([[1, 2]]));
    assertEquals((await readNpy(path)).toArray(), [[1, 2]]);
    assertEquals((await readNpy(new URL(`file://${path}`))).toArray(), [[1, 2]]);
  }));

Deno.test("readNpy() names the file that it cannot read", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/x.npy`;
    await Deno.writeTextFile(path, "1,2,3");
    const foreign = await assertRejects(() => readNpy(path), SyntaxError);
    assertEquals(
      foreign.message,
      `Cannot read "${path}" as it is not a .npy file: its first bytes must be \\x93NUMPY`,
    );
    const missing = await assertRejects(() => readNpy(`${path}.gz`), Error);
    assertEquals(missing.message, `Cannot read "${path}.gz" as it does not exist`);
    const folder = await assertRejects(() => readNpy(directory), SyntaxError);
    assertEquals(folder.message, `Cannot read "${directory}" as it is a directory, not a file`);
  }));

for (
  const [code, values] of [["i8", BigInt64Array.of(1n, 2n ** 31n)], [
    "u4",
    Uint32Array.of(1, 2 ** 31),
  ]] as const
) {
  Deno.test(`readNpy() refuses ${code} that int32 cannot hold`, async () => {
    const bytes = npy(header(`<${code}`, "(2,)"), values.buffer);
    const error = await assertRejects(() => readNpy(bytes), RangeError);
    assertEquals(
      error.message,
      "Cannot read the bytes as int32 cannot hold its values: they must be in " +
        "[-2147483648, 2147483647]: current value is 2147483648",
    );
  });
}

Deno.test("readNpy() refuses files that are too short or too long", async () => {
  const bytes = writeNpy(tensor([[0, 1, 2], [3, 4, 5]]));
  const start =
    "Cannot read the bytes as shape (2, 3) of float32 needs 24 bytes after the header: ";
  assertEquals(await complaint(bytes.subarray(0, bytes.length - 4)), `${start}there are 20`);
  assertEquals(await complaint(Uint8Array.of(...bytes, 0)), `${start}there are 25`);
});

Deno.test("readNpy() refuses files that end within the header", async () => {
  const bytes = writeNpy(tensor([1]));
  for (const length of [8, 9, 10, 40, 127]) {
    assertEquals(
      await complaint(bytes.subarray(0, length)),
      "Cannot read the bytes as it ends within its header",
    );
  }
});

Deno.test("readNpy() refuses versions that it does not know", async () => {
  assertEquals(
    await complaint(npy(header("<f4", "(0,)"), new ArrayBuffer(0), [4, 0])),
    "Cannot read the bytes as its .npy version must be 1.0, 2.0 or 3.0: current version is 4.0",
  );
});

for (
  const [what, description, shown] of [
    ["Python objects", "'|O'", "'|O', Python objects"],
    ["text", "'<U3'", "'<U3'"],
    ["complex numbers", "'<c8'", "'<c8'"],
    ["records", "[('a', '<f4'), ('b', '<i4')]", "[('a', '<f4'), ('b', '<i4')]"],
  ] as const
) {
  Deno.test(`readNpy() refuses ${what}`, async () => {
    const text = `{'descr': ${description}, 'fortran_order': False, 'shape': (1,), }`;
    assertEquals(
      await complaint(npy(text, new ArrayBuffer(8))),
      "Cannot read the bytes as its type must be one of b1, i1, u1, i2, u2, i4, u4, i8, u8, f2, " +
        `f4, f8: current type is ${shown}`,
    );
  });
}

Deno.test("readNpy() shows a header that lacks a key", async () => {
  assertEquals(
    await complaint(npy("{'descr': '<f4', 'shape': (1,), }", new ArrayBuffer(4))),
    "Cannot read the bytes as its header must name descr, fortran_order and shape: " +
      "current header is {'descr': '<f4', 'shape': (1,), }",
  );
});
