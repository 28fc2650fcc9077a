import { assert, assertEquals, assertRejects } from "@std/assert";
import { LocalFile } from "../../src/data/file.ts";
import { checksum } from "../../src/data/h5_messages.ts";
import { openH5 } from "../../src/data/h5ad.ts";
import { writeH5 } from "../../src/data/h5_writer.ts";
import { MemoryOutput } from "../../src/data/output.ts";
import type { StoredArray, StoredGroup } from "../../src/data/store.ts";
import {
  type Compression,
  groupNode,
  numbersNode,
  textsAttribute,
  textsNode,
  type WrittenNode,
} from "../../src/data/written_tree.ts";
import { inTempDirectory } from "./write.ts";

/** Writes members, and looks at them with the HDF5 library. */
async function reread(
  members: Record<string, WrittenNode>,
  compression: Compression,
  look: (root: StoredGroup) => Promise<void>,
  attributes = {},
): Promise<void> {
  await inTempDirectory(async (folder) => {
    const output = new MemoryOutput();
    await writeH5(output, groupNode(attributes, Object.entries(members)), compression);
    await Deno.writeFile(`${folder}/x.h5`, output.take());
    const store = await openH5(await LocalFile.open(`${folder}/x.h5`));
    try {
      await look(store.root);
    } finally {
      store.close();
    }
  });
}

async function arrayOf(group: StoredGroup, name: string): Promise<StoredArray> {
  const node = await group.get(name);
  assert(node?.kind === "array");
  return node;
}

Deno.test("checksum() is Jenkins' lookup3, for every length of the last word", () => {
  // Of Python, by the algorithm's text: hashlittle of the bytes 0, 1, 2, ….
  const known = [
    [0, 0xdeadbeef],
    [1, 0x8ba9414b],
    [4, 0xe4cf1d42],
    [7, 0x589511d8],
    [11, 0x2ca6817a],
    [12, 0x5e4aa593],
    [13, 0xbc9d6816],
    [23, 0xa5ff3c58],
    [24, 0x9c0add53],
    [25, 0x3a882244],
    [44, 0x3a104df7],
    [100, 0x682b4c0b],
  ] as const;
  for (const [length, hash] of known) {
    assertEquals(checksum(Uint8Array.from({ length }, (_, i) => i)), hash, `${length} bytes`);
  }
});

Deno.test("checksums of a file of HDF5's own agree", async () => {
  const bytes = await Deno.readFile(new URL("h5py.h5ad", import.meta.url));
  const view = new DataView(bytes.buffer);
  assertEquals(checksum(bytes.subarray(512, 556)), view.getUint32(556, true));
});

Deno.test("arrays of all types and shapes come back, compressed or not", async () => {
  const makers = [
    Int8Array,
    Uint8Array,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ];
  const shapes = [[], [0], [1], [3, 0], [2000], [513, 3], [7, 5, 9], [1, 1, 1, 1, 2000]];
  const members: Record<string, WrittenNode> = {};
  for (const maker of makers) {
    for (const shape of shapes) {
      const length = shape.reduce((a, b) => a * b, 1);
      const values = maker.from(Array.from({ length }, (_, i) => i * 37 - 50));
      members[`${maker.name} ${shape}`] = numbersNode(values, shape);
    }
  }
  members["bigint"] = numbersNode(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n));
  members["unsigned"] = numbersNode(BigUint64Array.of(2n ** 64n - 1n));
  members["bool"] = numbersNode(Uint8Array.of(1, 0, 1), [3], "bool");
  for (const compression of ["none", "gzip"] as const) {
    await reread(members, compression, async (root) => {
      assertEquals(await root.keys(), Object.keys(members).sort());
      for (const [name, node] of Object.entries(members)) {
        assert(node.kind === "array");
        const array = await arrayOf(root, name);
        assertEquals([array.type, array.shape], [node.type, node.shape], name);
        if (node.shape.length > 0) assertEquals(await array.readNumbers(), node.values, name);
      }
    });
  }
});

Deno.test("chunks are found in a tree of two levels", async () => {
  // More chunks than one node has children.
  const rows = 70 * 1024;
  const values = Float64Array.from({ length: rows * 128 }, (_, i) => i >> 9);
  await reread({ x: numbersNode(values, [rows, 128]) }, "gzip", async (root) => {
    const array = await arrayOf(root, "x");
    assertEquals([array.shape, array.chunkLength], [[rows, 128], 1024]);
    for (const start of [0, 1000, 65_500, rows - 3]) {
      const part = await array.readNumbers(start, start + 3);
      assertEquals(part, values.subarray(start * 128, (start + 3) * 128));
    }
  });
});

Deno.test("many texts, long ones and empty ones come back", async () => {
  const many = Array.from(
    { length: 10_000 },
    (_, i) => i % 7 === 0 ? "" : `\u03b1${"x".repeat(i % 90)}`,
  );
  const long = ["a".repeat(200_000), "", "\u{1f9ec}".repeat(20_000), "b"];
  const members = { many: textsNode(many), long: textsNode(long), none: textsNode([]) };
  const attributes = { one: "\u03b2", flag: true, list: textsAttribute(many.slice(0, 500)) };
  await reread(members, "none", async (root) => {
    assertEquals(await (await arrayOf(root, "many")).readStrings(), many);
    assertEquals(await (await arrayOf(root, "long")).readStrings(), long);
    assertEquals(await (await arrayOf(root, "none")).readStrings(), []);
    assertEquals(root.attributes, { one: "\u03b2", flag: 1, list: many.slice(0, 500) });
  }, attributes);
});

Deno.test("a group holds thousands of members, of any names", async () => {
  const names = Array.from({ length: 3000 }, (_, i) => `member ${i}`);
  names.push("x".repeat(300), "\u03b1 #?%", "..", " ");
  const members = Object.fromEntries(names.map((name, i) => [name, numbersNode(Int32Array.of(i))]));
  await reread(members, "none", async (root) => {
    assertEquals((await root.keys()).toSorted(), names.toSorted());
    for (const name of [names[0]!, names[2999]!, names[3000]!, names[3001]!]) {
      const array = await arrayOf(root, name);
      assertEquals(await array.readNumbers(), Int32Array.of(names.indexOf(name)));
    }
  });
});

Deno.test("an attribute that is too large is refused", async () => {
  const texts = textsAttribute(new Array(5000).fill("x"));
  const root = groupNode({ texts }, []);
  await assertRejects(() => writeH5(new MemoryOutput(), root, "none"), RangeError, "65535 bytes");
});
