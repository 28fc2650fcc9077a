import { assertEquals, assertGreater } from "@std/assert";
import { linesOf } from "./run_example.ts";

Deno.test("example:unet segments held-out images better than the pixel classifier", async () => {
  const lines = await linesOf("08_unet.ts");
  const found = lines.map((line) => Number(line.match(/mean IoU ([\d.]+)/)![1]));
  assertEquals(lines.map((line) => line.split(":")[0]), ["pixel classifier", "U-Net"]);
  assertGreater(found[0], 0.5);
  assertGreater(found[1], found[0]! + 0.02);
});
