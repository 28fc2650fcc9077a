import { assertEquals } from "@std/assert";
import { forNeighbors } from "../../src/metrics/neighbors.ts";
import { integers, key } from "../../src/random.ts";
import { tensor } from "../../src/tensor.ts";

Deno.test("forNeighbors() gives the nearest others in order, the first of equally near ones, for any k", () => {
  const n = 400;
  // On a grid, so that many are equally near, and some are in one place.
  const grid = integers(key(0), 0, 12, { shape: [n, 2] }).toArray() as number[][];
  const distance = ([a, b]: number[], [c, d]: number[]) => (a! - c!) ** 2 + (b! - d!) ** 2;
  const everyone = Array.from({ length: n }, (_, i) => i);
  const orders = grid.map((point, i) =>
    everyone.filter((j) => j !== i)
      .sort((j, k) => distance(point, grid[j]!) - distance(point, grid[k]!) || j - k)
  );
  for (const k of [0, 1, 5, 255, 256, 257, n - 2, n - 1, n, 10 * n]) {
    forNeighbors(tensor(grid, { dtype: "float64" }), k, (i, { indices, squaredDistances }) => {
      const expected = orders[i]!.slice(0, k);
      assertEquals([...indices], expected, `${k} of ${i}`);
      assertEquals([...squaredDistances], expected.map((j) => distance(grid[i]!, grid[j]!)));
    });
  }
});
