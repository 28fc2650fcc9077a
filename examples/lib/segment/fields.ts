/** Filters of images: a field is one number per pixel, row by row. */
import type { Tensor } from "@cellgrad/cellgrad";
import { normal } from "@cellgrad/cellgrad/random";

/** One number per pixel of a square image. */
export interface Field {
  /** Pixels along each side. */
  readonly size: number;
  /** The numbers, row by row. */
  readonly data: Float64Array;
}

/** Half the width of a Gaussian, in standard deviations, beyond which it is left out. */
const REACH = 3;

/** Weights of a Gaussian at whole distances from 0 on; both sides together sum to 1. */
function gaussian(sigma: number): Float64Array {
  const weights = Float64Array.from(
    { length: Math.max(1, Math.ceil(REACH * sigma)) + 1 },
    (_, distance) => Math.exp(-0.5 * (distance / sigma) ** 2),
  );
  const total = weights.reduce((sum, weight, distance) => sum + (distance > 0 ? 2 : 1) * weight, 0);
  return weights.map((weight) => weight / total);
}

/** A position reflected at the borders, so that edges of the image look like its inside. */
function reflect(position: number, size: number): number {
  const period = 2 * size;
  const within = ((position % period) + period) % period;
  return within < size ? within : period - 1 - within;
}

/** Smooths along rows and transposes, so that two calls smooth both ways. */
function smoothRows({ size, data }: Field, weights: Float64Array): Field {
  const out = new Float64Array(data.length);
  const reach = weights.length - 1;
  const line = new Float64Array(size + 2 * reach);
  for (let y = 0; y < size; y++) {
    for (let i = 0; i < line.length; i++) line[i] = data[y * size + reflect(i - reach, size)]!;
    for (let x = 0; x < size; x++) {
      let sum = weights[0]! * line[x + reach]!;
      for (let d = 1; d <= reach; d++) {
        sum += weights[d]! * (line[x + reach - d]! + line[x + reach + d]!);
      }
      out[x * size + y] = sum;
    }
  }
  return { size, data: out };
}

/** The field smoothed by a Gaussian with the standard deviation `sigma` in pixels. */
export function smooth(field: Field, sigma: number): Field {
  const weights = gaussian(sigma);
  return smoothRows(smoothRows(field, weights), weights);
}

/** Combines fields pixel by pixel. */
export function combine(fields: readonly Field[], f: (...values: number[]) => number): Field {
  const [first] = fields as [Field];
  return {
    size: first.size,
    data: first.data.map((_, pixel) => f(...fields.map(({ data }) => data[pixel]!))),
  };
}

/** Central differences of a field: first and second derivatives along x and y. */
export function derivatives(field: Field): Record<"x" | "y" | "xx" | "yy" | "xy", Field> {
  const { size, data } = field;
  const at = (x: number, y: number) => data[reflect(y, size) * size + reflect(x, size)]!;
  const each = (f: (x: number, y: number) => number): Field => ({
    size,
    data: data.map((_, pixel) => f(pixel % size, Math.floor(pixel / size))),
  });
  return {
    x: each((x, y) => (at(x + 1, y) - at(x - 1, y)) / 2),
    y: each((x, y) => (at(x, y + 1) - at(x, y - 1)) / 2),
    xx: each((x, y) => at(x + 1, y) - 2 * at(x, y) + at(x - 1, y)),
    yy: each((x, y) => at(x, y + 1) - 2 * at(x, y) + at(x, y - 1)),
    xy: each((x, y) =>
      (at(x + 1, y + 1) - at(x + 1, y - 1) - at(x - 1, y + 1) + at(x - 1, y - 1)) / 4
    ),
  };
}

/** Random clouds whose features are about `sigma` pixels wide, with mean 0 and variance 1. */
export function clouds(key: Tensor, size: number, sigma: number): Field {
  const data = Float64Array.from(normal(key, [size * size], { dtype: "float64" }).data);
  const field = smooth({ size, data }, sigma);
  const mean = field.data.reduce((sum, value) => sum + value, 0) / data.length;
  const variance = field.data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
  return combine([field], (value) => (value - mean) / Math.sqrt(variance));
}
