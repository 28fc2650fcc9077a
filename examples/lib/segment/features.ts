/**
 * What the classifier sees of a pixel: its intensity, and what smoothing, edges, ridges and texture
 * around it look like at several scales.
 */
import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { combine, derivatives, type Field, smooth } from "./fields.ts";

/** Standard deviations of the smoothing, in pixels. */
const SCALES = [1, 2, 4, 8, 16];

interface Feature {
  /** What it is, with its scale in pixels. */
  name: string;
  field: Field;
}

function featuresAt(image: Field, sigma: number): Feature[] {
  const smoothed = smooth(image, sigma);
  const { x, y, xx, yy, xy } = derivatives(smoothed);
  const squares = smooth(combine([image], (value) => value * value), sigma);
  const spread = (sign: number) =>
    combine([xx, yy, xy], (a, b, c) => (a + b) / 2 + sign * Math.hypot((a - b) / 2, c));
  const fields = {
    "smoothed intensity": smoothed,
    "gradient": combine([x, y], Math.hypot),
    "ridge": spread(1), // the eigenvalues of the matrix of second derivatives
    "valley": spread(-1),
    "texture": combine([squares, smoothed], (s, m) => Math.sqrt(Math.max(0, s - m * m))),
  };
  return Object.entries(fields).map(([name, field]) => ({ name: `${name}, ${sigma} px`, field }));
}

/** The names of the features and their values (pixels, features), `float32`. */
export function pixelFeatures(image: Field): { names: string[]; values: Tensor } {
  const features = [
    { name: "intensity", field: image },
    ...SCALES.flatMap((sigma) => featuresAt(image, sigma)),
  ];
  const values = new Float32Array(image.data.length * features.length);
  features.forEach(({ field }, column) =>
    field.data.forEach((value, pixel) => values[pixel * features.length + column] = value)
  );
  return {
    names: features.map(({ name }) => name),
    values: tensor(values, { shape: [image.data.length, features.length] }),
  };
}
