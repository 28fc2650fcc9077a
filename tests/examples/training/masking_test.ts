import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { tensor } from "@cellgrad/cellgrad";
import { key, uniform } from "@cellgrad/cellgrad/random";
import { maskValues } from "../../../examples/lib/training/mod.ts";

const VALUES = uniform(key(0), [100, 80]).sub(0.5).relu();

Deno.test("maskValues() hides the given share and nothing else", () => {
  const { visible, mask } = maskValues(key(1), VALUES, { ratio: 0.3, maskValue: -2 });
  assertAlmostEquals(mask.mean().item(), 0.3, 0.02);
  VALUES.data.forEach((value, i) => assertEquals(visible.data[i], mask.data[i] ? -2 : value));
});

Deno.test("maskValues() hides 40 % behind -1 by default", () => {
  const { visible, mask } = maskValues(key(1), VALUES);
  assertAlmostEquals(mask.mean().item(), 0.4, 0.02);
  assertEquals(Math.min(...visible.data), -1);
});

Deno.test("maskValues() can leave genes that are not expressed alone", () => {
  const { mask } = maskValues(key(1), VALUES, { ratio: 0.5, among: "expressed" });
  const expressed = VALUES.greater(0);
  assert(mask.data.every((hidden, i) => hidden <= expressed.data[i]!));
  assertAlmostEquals(mask.sum().item() / expressed.sum().item(), 0.5, 0.03);
});

Deno.test("maskValues() hides all or nothing at the ends of the range", () => {
  const masked = (ratio: number) => maskValues(key(1), tensor([1, 2, 3]), { ratio }).visible;
  assertEquals([masked(0).toArray(), masked(1).toArray()], [[1, 2, 3], [-1, -1, -1]]);
});
