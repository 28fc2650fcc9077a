import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { greyImage, labelImage } from "../../../examples/lib/segment/pixel_images.ts";

/** Paints the strokes of an SVG path back into pixels. */
function paint(path: string, size: number, value: number, into: Int32Array): void {
  let [x, y] = [0, 0];
  for (const [, dx, dy, length] of path.matchAll(/m(-?\d+) ?(-?\d+)h(\d+)/g)) {
    [x, y] = [x + Number(dx), y + Number(dy)];
    into.fill(value, y * size + x, y * size + x + Number(length));
    x += Number(length);
  }
}

const images = fc.integer({ min: 1, max: 9 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    labels: fc.array(fc.integer({ min: 0, max: 3 }), {
      minLength: size * size,
      maxLength: size * size,
    }),
  })
);

Deno.test("labelImage() draws every pixel once, in the colour of its label", () =>
  fc.assert(
    fc.property(images, ({ size, labels }) => {
      const { source } = labelImage(Int32Array.from(labels), size, ["a", "b", "c", "d"], "");
      const painted = new Int32Array(size * size);
      for (const [, color, path] of source.matchAll(/stroke="(.)" d="([^"]*)"/g)) {
        paint(path!, size, "abcd".indexOf(color!), painted);
      }
      assertEquals(Array.from(painted), labels);
    }),
    { seed: 1, numRuns: 100 },
  ));

Deno.test("greyImage() goes from black to white and clips what is beyond", () => {
  const { source } = greyImage(Float64Array.of(-1, 0, 0.999, 3), 2, "");
  const strokes = [...source.matchAll(/stroke="([^"]*)" d="([^"]+)"/g)].map(([, c, d]) => [c, d]);
  assertEquals(strokes, [["rgb(0,0,0)", "m0 0h2"], ["rgb(255,255,255)", "m0 1h2"]]);
});

Deno.test("labelImage() says what it shows, escaped", () => {
  const { source } = labelImage(Int32Array.of(0), 1, ["red"], "<truth>");
  assertStringIncludes(source, 'aria-label="&lt;truth&gt;"');
});
