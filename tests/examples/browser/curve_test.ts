import { assertEquals } from "@std/assert";
import { niceTicks } from "../../../examples/browser/curve.ts";
import { formatNumber } from "../../../examples/browser/dom.ts";
import { differenceOf } from "../../../examples/browser/training_view.ts";

Deno.test("niceTicks() are round, and lie within a range or around it", () => {
  assertEquals(niceTicks(0, 200, 4), [0, 50, 100, 150, 200]);
  assertEquals(niceTicks(0.13, 1.93, 5, "around"), [0, 0.5, 1, 1.5, 2]);
  assertEquals(niceTicks(-0.98, -0.5, 5, "around"), [-1, -0.9, -0.8, -0.7, -0.6, -0.5]);
  assertEquals(niceTicks(3, 3, 5, "around"), [3]);
});

Deno.test("differenceOf() is relative to the range of the curve", () => {
  assertEquals(differenceOf([5, 3, 1], [5, 3, 1]), 0);
  assertEquals(differenceOf([5, 3, 1], [5, 4, 1]), 0.25);
  assertEquals(differenceOf([5, 3, 1], [5]), 0);
});

Deno.test("formatNumber() writes numbers for people", () => {
  assertEquals([0, -0.0763, 1234567, 2.5e-7, NaN, -Infinity].map(formatNumber), [
    "0",
    "−0.0763",
    "1.23e6",
    "2.50e−7",
    "not a number",
    "−∞",
  ]);
});
