/**
 * Images as SVG: runs of equal pixels become strokes, so that label maps follow the colours of the
 * page and nothing needs to be loaded.
 */
import { type Markup, markup } from "../html.ts";

/** Shades of grey in a drawn micrograph. */
const SHADES = 12;

/** One path per value: every run of pixels with it, as horizontal strokes of height 1. */
function strokes(values: Int32Array, size: number, value: number): string {
  let path = "";
  let [cx, cy] = [0, 0];
  for (let start = 0; start < values.length;) {
    let end = start + 1;
    while (end % size !== 0 && values[end] === values[start]) end++;
    if (values[start] === value) {
      const [x, y] = [start % size, Math.floor(start / size)];
      const dx = x - cx;
      path += `m${dx}${y - cy < 0 ? "" : " "}${y - cy}h${end - start}`;
      [cx, cy] = [x + end - start, y];
    }
    start = end;
  }
  return path;
}

function frame(size: number, title: string, layers: readonly Markup[]): Markup {
  return markup`<svg viewBox="0 0 ${size} ${size}" role="img" aria-label="${title}"
shape-rendering="crispEdges" style="width:100%;max-width:none"><title>${title}</title>
<g transform="translate(0,0.5)" fill="none">${layers}</g></svg>`;
}

/** A label map; the colour of the first label is painted as the ground. */
export function labelImage(
  labels: Int32Array,
  size: number,
  colors: readonly string[],
  title: string,
): Markup {
  const ground = markup`<rect y="-0.5" width="${size}" height="${size}" fill="${colors[0]!}"/>`;
  const layer = (color: string, label: number) =>
    label === 0 ? ground : markup`<path stroke="${color}" d="${strokes(labels, size, label)}"/>`;
  return frame(size, title, colors.map(layer));
}

/** Brightness in shades of grey, from black at 0 to white at 1. */
export function greyImage(brightness: Float64Array, size: number, title: string): Markup {
  const shades = Int32Array.from(
    brightness,
    (value) => Math.max(0, Math.min(SHADES - 1, Math.floor(value * SHADES))),
  );
  const colors = Array.from({ length: SHADES }, (_, shade) => {
    const level = Math.round(255 * shade / (SHADES - 1));
    return `rgb(${level},${level},${level})`;
  });
  const layer = (color: string, shade: number) =>
    markup`<path stroke="${color}" d="${strokes(shades, size, shade)}"/>`;
  return frame(size, title, colors.map(layer));
}
