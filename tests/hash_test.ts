import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { hashText, hashValues } from "../src/hash.ts";

Deno.test("hashValues() is the same for the same bits, wherever they lie", () => {
  const values = Float32Array.of(0, 1, 2, 3);
  assertEquals(hashValues(values.subarray(1)), hashValues(Float32Array.of(1, 2, 3)));
  const bytes = Uint8Array.of(9, 1, 2, 3, 4, 5);
  assertEquals(hashValues(bytes.subarray(1)), hashValues(Uint8Array.of(1, 2, 3, 4, 5)));
});

Deno.test("hashValues() notices any flipped bit", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 8, maxLength: 8 * 9 }).filter((bytes) => bytes.length % 8 === 0),
      fc.nat(),
      (bytes, at) => {
        const before = hashValues(new Float64Array(bytes.slice().buffer));
        bytes[at % bytes.length]! ^= 1 << (at % 8);
        assertNotEquals(hashValues(new Float64Array(bytes.slice().buffer)), before);
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("hashValues() tells orders, signs of zero and lengths apart", () => {
  const hashes = [[1, 2], [2, 1], [0, 0], [-0, 0], [0], []].map((values) =>
    hashValues(Float32Array.from(values)).join(" ")
  );
  assertEquals(new Set(hashes).size, hashes.length);
});

Deno.test("hashText() tells texts apart", () => {
  assertNotEquals(hashText("float32 [2, 3]"), hashText("float32 [3, 2]"));
});
