import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { pixelFeatures } from "../../../examples/lib/segment/features.ts";
import { CLASSES, SHARES, simulateMicrograph } from "../../../examples/lib/segment/micrograph.ts";

Deno.test("simulateMicrograph() covers the guide's shares of the pixels", () => {
  for (const seed of [0, 7]) {
    const { labels } = simulateMicrograph(100, seed);
    CLASSES.forEach((_, c) => {
      const share = labels.filter((label) => label === c).length / labels.length;
      assertAlmostEquals(share, SHARES[c]!, 1e-12);
    });
  }
});

Deno.test("simulateMicrograph() gives the same image for a seed, and another for another", () => {
  const [a, b, other] = [3, 3, 4].map((seed) => simulateMicrograph(48, seed));
  assertEquals(a, b);
  assert(a!.image.data[0] !== other!.image.data[0]);
});

Deno.test("simulateMicrograph() paints finite brightness, mostly between black and white", () => {
  const { image } = simulateMicrograph(80, 1);
  assert(image.data.every(Number.isFinite));
  const within = image.data.filter((value) => value >= 0 && value <= 1).length;
  assert(within / image.data.length > 0.97);
});

Deno.test("pixelFeatures() gives a finite number per pixel and feature", () => {
  const { names, values } = pixelFeatures(simulateMicrograph(32, 2).image);
  assertEquals(values.shape, [1024, names.length]);
  assertEquals(new Set(names).size, names.length);
  assert(values.data.every(Number.isFinite));
});

Deno.test("pixelFeatures() of an even image show neither edges nor texture", () => {
  const even = { size: 16, data: new Float64Array(256).fill(0.5) };
  const { names, values } = pixelFeatures(even);
  names.forEach((name, feature) => {
    const level = name.includes("intensity") ? 0.5 : 0;
    assertAlmostEquals(values.data[feature]!, level, 1e-6);
  });
});
