import { assertEquals } from "@std/assert";
import { rotations } from "../../../kernels/linalg/rotations.ts";
import { fill } from "../../../kernels/random/eager.ts";

/** What chains of rotations make of n vectors. */
function rotated(n: number, simd: boolean): number[][] {
  const noise = new Float64Array(n * (n + 1));
  if (n > 0) fill("normal", noise, [4, n]);
  const { rows, pitch, sines, cosines, rotate } = rotations(n, simd);
  for (let i = 0; i < n; i++) {
    rows.set(noise.subarray(i * n, (i + 1) * n), i * pitch);
    sines[i] = Math.sin(noise[n * n + i]!);
    cosines[i] = Math.cos(noise[n * n + i]!);
  }
  rotate(0, n - 1);
  rotate(n >> 1, n - 1);
  rotate(n >> 1, n >> 1);
  rotate(0, Math.min(1, n - 1));
  return Array.from({ length: n }, (_, i) => [...rows.subarray(i * pitch, i * pitch + n)]);
}

Deno.test("rotations() give the same bits in WebAssembly, for any number of vectors", () => {
  for (const n of [0, 1, 2, 7, 8, 9, 16, 33, 100, 1030]) {
    assertEquals(rotated(n, true), rotated(n, false));
  }
});

Deno.test("rotations() turn each vector and the next one, from the last on", () => {
  for (const simd of [true, false]) {
    const { rows, pitch, sines, cosines, rotate } = rotations(3, simd);
    rows.set([1, 0, 0], 0);
    rows.set([0, 1, 0], pitch);
    rows.set([0, 0, 1], 2 * pitch);
    // By right angles: each vector goes down, the one below comes up with its sign turned.
    sines.fill(1);
    cosines.fill(0);
    rotate(0, 2);
    const found = [0, 1, 2].map((i) =>
      [...rows.subarray(i * pitch, i * pitch + 3)].map((x) => x + 0)
    );
    assertEquals(found, [[0, 0, 1], [1, 0, 0], [0, 1, 0]]);
  }
});
