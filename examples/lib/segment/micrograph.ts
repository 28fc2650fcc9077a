/**
 * A simulated electron micrograph of a cell, and what each of its pixels shows.
 *
 * Shapes are level sets of random fields, cut where they cover their share of the image exactly:
 * 3 % nucleus, 7 % mitochondria, 10 % endoplasmic reticulum (ER), 80 % background. Vesicles and
 * filaments belong to the background and look a little like organelles.
 */
import type { Tensor } from "@cellgrad/cellgrad";
import { foldIn, key as seedKey, normal, uniform } from "@cellgrad/cellgrad/random";
import { clouds, combine, derivatives, type Field, smooth } from "./fields.ts";

/** What a pixel may show, in the order of the labels. */
export const CLASSES = ["background", "ER", "mitochondria", "nucleus"] as const;

/** The share of the pixels that each class covers. */
export const SHARES = [0.8, 0.1, 0.07, 0.03] as const;

export interface Micrograph {
  /** Brightness, about 0 (black) to 1 (white). */
  image: Field;
  /** What each pixel shows: an index of {@linkcode CLASSES}. */
  labels: Int32Array;
}

/** Where a class lies, and how deep in it each pixel is: 0 inside to 1 at the border. */
interface Region {
  label: number;
  depth: Float64Array;
}

/** Standard deviation of the camera's noise, in units of brightness. */
const NOISE = 0.05;

const NUCLEUS_COARSENESS = 14;
const ORGANELLES = 16;
const VESICLES = 60;

/** Simulates a square image with `size` pixels along each side; the same seed gives the same. */
export function simulateMicrograph(size: number, seed: number): Micrograph {
  const key = (part: number) => foldIn(seedKey(seed), part);
  const labels = new Int32Array(size * size);
  // Rare ones first: what comes later lies around them.
  const regions = [
    claim(labels, 3, nucleusField(key(0), size)),
    claim(labels, 2, mitochondriaField(key(1), size)),
    claim(labels, 1, reticulumField(key(2), size)),
  ];
  const clean = paint(key, size, regions, labels);
  const noise = normal(key(20), [size * size], { dtype: "float64" }).data;
  const image = combine([smooth(clean, 0.7)], (value) => value);
  image.data.forEach((value, pixel) => image.data[pixel] = value + NOISE * noise[pixel]!);
  return { image, labels };
}

/** Gives a class the free pixels where the field is lowest, as many as are its share. */
function claim(labels: Int32Array, label: number, { data }: Field): Region {
  const free = Array.from(labels.keys()).filter((pixel) => labels[pixel] === 0);
  const count = Math.round(SHARES[label]! * labels.length);
  const taken = free.sort((a, b) => data[a]! - data[b]!).slice(0, count);
  const border = data[taken.at(-1)!]!;
  const depth = new Float64Array(labels.length);
  for (const pixel of taken) {
    labels[pixel] = label;
    depth[pixel] = data[pixel]! / border;
  }
  return { label, depth };
}

/** Distances from a centre, bent a little. */
function nucleusField(key: Tensor, size: number): Field {
  const [cx, cy] = uniform(foldIn(key, 0), [2], { dtype: "float64" }).data as Float64Array;
  const bend = clouds(foldIn(key, 1), size, NUCLEUS_COARSENESS);
  return combine([coordinates(size, "x"), coordinates(size, "y"), bend], (x, y, noise) => {
    const distance = Math.hypot(x - (0.25 + 0.5 * cx!) * size, y - (0.25 + 0.5 * cy!) * size);
    return distance * (1 + 0.12 * noise);
  });
}

function coordinates(size: number, axis: "x" | "y"): Field {
  const data = Float64Array.from(
    { length: size * size },
    (_, pixel) => axis === "x" ? pixel % size : Math.floor(pixel / size),
  );
  return { size, data };
}

/** The distance to the nearest of some ellipses, in units of their axes. */
function mitochondriaField(key: Tensor, size: number): Field {
  const draws = uniform(key, [ORGANELLES, 5], { dtype: "float64" }).data;
  const bend = clouds(foldIn(key, 1), size, 5);
  const ellipses = Array.from({ length: ORGANELLES }, (_, i) => {
    const [x, y, angle, stretch, width] = draws.slice(5 * i, 5 * i + 5) as unknown as number[];
    return {
      x: x! * size,
      y: y! * size,
      along: [Math.cos(Math.PI * angle!), Math.sin(Math.PI * angle!)] as const,
      stretch: 1.4 + 1.8 * stretch!,
      width: 0.7 + 0.6 * width!,
    };
  });
  return combine([coordinates(size, "x"), coordinates(size, "y"), bend], (px, py, noise) => {
    let nearest = Infinity;
    for (const { x, y, along: [c, s], stretch, width } of ellipses) {
      const u = ((px - x) * c + (py - y) * s) / (width * stretch);
      const v = ((py - y) * c - (px - x) * s) / width;
      nearest = Math.min(nearest, Math.hypot(u, v));
    }
    return nearest * (1 + 0.15 * noise);
  });
}

/** Sheets of even width, along the lines where a random field is 0, in some parts of the cell. */
function reticulumField(key: Tensor, size: number): Field {
  const sheets = clouds(foldIn(key, 0), size, 5);
  const { x, y } = derivatives(sheets);
  const part = clouds(foldIn(key, 1), size, 22);
  return combine([sheets, x, y, part], (value, dx, dy, part) => {
    const distance = Math.abs(value) / Math.hypot(dx, dy, 0.05); // in pixels
    return distance + 4 * Math.max(0, part);
  });
}

/** A bump of height 1 and the given half width around a place. */
function bump(value: number, place: number, width: number): number {
  return Math.exp(-(((value - place) / width) ** 2));
}

/** Brightness without blur and noise. */
function paint(
  key: (part: number) => Tensor,
  size: number,
  regions: readonly Region[],
  labels: Int32Array,
): Field {
  const light = clouds(key(10), size, 40);
  const granules = clouds(key(11), size, 0.8);
  const chromatin = clouds(key(12), size, 2);
  const stripes = clouds(key(13), size, 9);
  const background = distract(key, size);
  const [nucleus, mitochondria, reticulum] = regions.map(({ depth }) => depth) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const brightness = [
    (pixel: number) => 0.64 + 0.05 * granules.data[pixel]! + background.data[pixel]!,
    (pixel: number) => 0.6 - 0.24 * bump(reticulum[pixel]!, 0.9, 0.4),
    (pixel: number) =>
      0.46 + 0.1 * Math.sin(1.4 * (pixel % size) + 5 * stripes.data[pixel]!) -
      0.2 * bump(mitochondria[pixel]!, 1, 0.15),
    (pixel: number) => 0.76 + 0.11 * chromatin.data[pixel]! - 0.34 * bump(nucleus[pixel]!, 1, 0.08),
  ];
  const data = Float64Array.from(
    labels,
    (label, pixel) => brightness[label]!(pixel) + 0.04 * light.data[pixel]!,
  );
  return { size, data };
}

/** What the background holds besides: vesicles with dark rims, and dark filaments. */
function distract(key: (part: number) => Tensor, size: number): Field {
  const filaments = clouds(key(14), size, 10);
  const data = filaments.data.map((value) => -0.26 * bump(value, 0, 0.06));
  const draws = uniform(key(15), [VESICLES, 3], { dtype: "float64" }).data;
  for (let i = 0; i < VESICLES; i++) {
    const [u, v, w] = draws.slice(3 * i, 3 * i + 3) as unknown as [number, number, number];
    const [x, y, radius] = [u * size, v * size, 2 + 5 * w * w];
    for (let pixel = 0; pixel < data.length; pixel++) {
      const r = Math.hypot(pixel % size - x, Math.floor(pixel / size) - y);
      if (r > radius + 3) continue;
      data[pixel]! += -0.26 * bump(r, radius, 1) - (r < radius ? 0.06 : 0);
    }
  }
  return { size, data };
}
