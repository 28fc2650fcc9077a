import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";

const PROGRAM = new URL("../../examples/09_mixture.ts", import.meta.url).pathname;

Deno.test("example:mixture finds the types again, and ends in steps that square the error", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", PROGRAM],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
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
