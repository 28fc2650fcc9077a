import { assertAlmostEquals, assertEquals } from "@std/assert";
import { evenlySpread } from "../../examples/lib/evenly_spread.ts";

Deno.test("evenlySpread() takes all of few positions, and none of none", () => {
  assertEquals([...evenlySpread(5, 5)], [0, 1, 2, 3, 4]);
  assertEquals([...evenlySpread(5, 100)], [0, 1, 2, 3, 4]);
  assertEquals([...evenlySpread(0, 5)], []);
});

Deno.test("evenlySpread() takes as many of each stretch, and of each remainder", () => {
  const positions = evenlySpread(100_000, 1000);
  assertAlmostEquals(positions.length, 1000, 2);
  for (let part = 0; part < 10; part++) {
    const within = positions.filter((position) => Math.floor(position / 10_000) === part);
    assertAlmostEquals(within.length, 100, 2);
    assertAlmostEquals(positions.filter((position) => position % 10 === part).length, 100, 6);
  }
});
