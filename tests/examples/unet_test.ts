import { assertEquals, assertGreater } from "@std/assert";

const PROGRAM = new URL("../../examples/08_unet.ts", import.meta.url).pathname;

Deno.test("example:unet segments held-out images better than the pixel classifier", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", PROGRAM],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const found = lines.map((line) => Number(line.match(/mean IoU ([\d.]+)/)![1]));
  assertEquals(lines.map((line) => line.split(":")[0]), ["pixel classifier", "U-Net"]);
  assertGreater(found[0], 0.5);
  assertGreater(found[1], found[0]! + 0.02);
});
