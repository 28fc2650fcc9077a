import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Formed } from "../../src/data/formed.ts";

Deno.test("a formed matrix multiplies any number of directions, some at a time", () => {
  for (const [columns, most, count] of [[1, 8, 1], [70, 8, 20], [64, 8, 8], [300, 3, 4]] as const) {
    const matrix = new Formed(columns, most);
    assertEquals(matrix.values.length, columns * columns);
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++) {
        matrix.values[i * columns + j] = Math.cos(i * j) / (1 + i + j);
      }
    }
    const directions = Float64Array.from({ length: count * columns }, (_, k) => Math.sin(k));
    const images = matrix.scatter(directions, count);
    for (let c = 0; c < count; c++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let i = 0; i < columns; i++) {
          sum += directions[c * columns + i]! * matrix.values[i * columns + j]!;
        }
        assertAlmostEquals(images[c * columns + j]!, sum, 1e-12);
      }
    }
  }
});
