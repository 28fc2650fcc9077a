import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { linesOf } from "./run_example.ts";

Deno.test("example:mixture finds the types again, and ends in steps that square the error", async () => {
  const lines = await linesOf("09_mixture.ts");
  const steps = lines.filter((line) => line.startsWith("step")).map((line) =>
    line.match(/: (\S+), gradient (\S+)$/)!.slice(1).map(Number) as [number, number]
  );
  steps.slice(1).forEach(([value], i) => assert(value <= steps[i]![0]));
  const steepness = steps.map(([, gradient]) => gradient);
  assertLess(steepness.at(-1)!, 1e-10);
  assertLess(steepness.at(-1)!, steepness.at(-3)! * 1e-4);
  assertLess(steps.length, 30);

  const types = lines.filter((line) => line.startsWith("type"));
  assertEquals(types.length, 3);
  for (const line of types) {
    const [, share, isShare, x, y, isX, isY] = line.match(
      /share (\S+) \((\S+)\), mean (\S+), (\S+) \((\S+), (\S+)\)/,
    )!.map(Number);
    assertAlmostEquals(share!, isShare!, 0.04);
    assertAlmostEquals(x!, isX!, 0.15);
    assertAlmostEquals(y!, isY!, 0.25);
  }
});
