/**
 * Distances in masks: how far each position is from the other side, and on which side it lies.
 *
 * @module
 */
import { allocate, type DType, type TypedArray } from "../dtype.ts";
import { describe } from "../describe.ts";
import { checkLabels, checkMask } from "../labels.ts";
import { checkChoice, checkNumber, readOptions, refuseMore } from "../options.ts";
import { checkSize, extentsAround, formatShape, type Shape, sizeOf } from "../shape.ts";
import { asTensor, fromData, type Tensor, type TensorLike } from "../tensor.ts";
import { lowestParabolas } from "./parabolas.ts";

/** Options of {@linkcode distanceTransform} and {@linkcode signedDistance}. */
export interface DistanceOptions {
  /** How far neighbours are apart, from 1e-25 to 1e25, one number or one per axis; 1 by default. */
  spacing?: number | readonly number[] | undefined;
  /** The element type of the distances; `"float32"` by default. */
  dtype?: "float32" | "float64" | undefined;
}

/**
 * The Euclidean distance of every position of a mask that is true to the nearest one that is not, and
 * 0 where it is not. Exact, in linear time: along one axis after the other, the lower envelope of
 * parabolas.
 *
 * As `scipy.ndimage.distance_transform_edt`, but for a mask that is true everywhere: there is nothing
 * to be far from then, and distances are ∞, where scipy measures to a place outside (1, √2, √5, … in
 * the first row).
 *
 * Source: Felzenszwalb & Huttenlocher 2012, Distance transforms of sampled functions,
 * https://doi.org/10.4086/toc.2012.v008a019.
 *
 * @param mask Booleans, or zeros and ones, in one to three dimensions.
 * @param options `spacing`, 1 by default; `dtype`, `"float32"`.
 * @returns The distances, in the unit of the spacing, of the shape of the mask. A result of plain
 * numbers: nothing is differentiated through it.
 * @throws {TypeError} If the mask has no axis or more than three, `spacing` another number of
 * entries, or an option does not exist.
 * @throws {RangeError} If the mask holds anything but zeros and ones, or a spacing is not above 0.
 *
 * @example In positions, and where rows are 3 apart
 * ```ts
 * import { distanceTransform } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const mask = [[0, 1, 1, 1], [1, 1, 1, 0]];
 * assertEquals(distanceTransform(mask).toArray()[0], [0, 1, Math.fround(Math.SQRT2), 1]);
 * assertEquals(distanceTransform(mask, { spacing: [3, 1] }).toArray(), [[0, 1, 2, 3], [3, 2, 1, 0]]);
 * ```
 */
export function distanceTransform(mask: TensorLike, options: DistanceOptions = {}): Tensor {
  const caller = "distanceTransform";
  if (arguments.length > 2) refuseMore(caller, "options", 2, arguments);
  const { spacing, dtype } = readDistanceOptions(caller, options);
  const { data, shape } = checkMask(caller, mask);
  const steps = readSpacing(caller, "mask", shape, shape, spacing);
  const out = allocate(dtype, data.length);
  squaredDistances(data, 1, shape, steps).forEach((squared, i) => out[i] = Math.sqrt(squared));
  return fromData(out, shape);
}

/**
 * How far every position is from the outline of every class: the distance to the nearest position of
 * the class outside of it, and less the distance to the nearest position of another class inside.
 *
 * As the paper of the boundary loss has it: the maps of a class and of all others together are one
 * another's opposite, and nothing is 0, as outlines run between positions. A class that a sample
 * lacks, or has alone, has no outline there; its map is 0.
 *
 * **Differs from the original**, `one_hot2dist`, which takes 1 off the distances inside, whatever the
 * spacing: the outline then runs through the positions at the rim of a class, inside of both classes
 * that meet there; with a spacing of ½ they are ½ outside of their own class. It is
 * `where(map < 0, map + 1, map)`. A class alone gets distances to a place outside of the image there,
 * and its first version kept the whole parts of distances, 1 for √2.
 *
 * Source: Kervadec et al. 2019, arXiv:1812.07032; https://github.com/LIVIAETS/boundary-loss.
 *
 * @param labels (N, …spatial), whole numbers in [0, classes), in one to three dimensions of space.
 * @param classes How many classes there are.
 * @param options `spacing`, 1 by default; `dtype`, `"float32"`.
 * @returns (N, C, …spatial), in the unit of the spacing: what `boundaryLoss` takes. A result of plain
 * numbers: nothing is differentiated through it.
 * @throws {TypeError} If the labels are not whole numbers, have no axis of space or more than three,
 * `spacing` has another number of entries, or an option does not exist.
 * @throws {RangeError} If a label names no class, or a spacing is not above 0.
 *
 * @example One sample of four positions
 * ```ts
 * import { signedDistance } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const maps = [[[-2, -1, 1, 2], [2, 1, -1, -2]]];
 * assertEquals(signedDistance([[0, 0, 1, 1]], 2).toArray(), maps);
 * ```
 */
export function signedDistance(
  labels: TensorLike,
  classes: number,
  options: DistanceOptions = {},
): Tensor {
  const caller = "signedDistance";
  if (arguments.length > 3) refuseMore(caller, "options", 3, arguments);
  const { spacing, dtype } = readDistanceOptions(caller, options);
  checkNumber(caller, "classes", classes, { min: 1, integer: true });
  const given = asTensor(labels, "float64");
  const [samples, ...space] = given.shape;
  const steps = readSpacing(caller, "labels", given.shape, space, spacing);
  const { data } = checkLabels(caller, given, classes);
  const shape = [samples!, classes, ...space];
  checkSize(caller, shape, dtype);
  const size = sizeOf(space);
  const out = allocate(dtype, data.length * classes);
  for (let at = 0; at < data.length; at += size) {
    const sample = data.subarray(at, at + size);
    for (const c of new Set(sample)) {
      signedDistances(out, at * classes + c * size, sample, c, space, steps);
    }
  }
  return fromData(out, shape);
}

/** The signed distances of one class in one sample, written from a place on. */
function signedDistances(
  out: TypedArray,
  from: number,
  labels: TypedArray,
  label: number,
  space: Shape,
  steps: readonly number[],
): void {
  const own = Uint8Array.from(labels, (found) => found === label ? 1 : 0);
  const inside = squaredDistances(own, 1, space, steps);
  const outside = squaredDistances(own, 0, space, steps);
  for (let i = 0; i < own.length; i++) {
    const squared = own[i] === 1 ? inside[i]! : outside[i]!;
    const distance = squared === Infinity ? 0 : Math.sqrt(squared);
    out[from + i] = own[i] === 1 ? -distance : distance;
  }
}

/** The squared distance of all positions of one value to the nearest of another. */
function squaredDistances(
  values: TypedArray,
  side: number,
  space: Shape,
  steps: readonly number[],
): Float64Array {
  const squared = Float64Array.from(values, (value) => value === side ? Infinity : 0);
  steps.forEach((step, axis) => lowestParabolas(squared, extentsAround(space, axis), step));
  return squared;
}

function readDistanceOptions(
  caller: string,
  options: DistanceOptions,
): { spacing: unknown; dtype: DType } {
  const settled = readOptions(caller, options, { spacing: 1, dtype: "float32" });
  checkChoice(caller, "dtype", settled.dtype, ["float32", "float64"]);
  return settled;
}

/** Distances of any other spacing could leave the range of numbers, or their squares could. */
const SPACINGS = { min: 1e-25, max: 1e25 };

/** One spacing for each axis of space. */
function readSpacing(
  caller: string,
  argument: string,
  shape: Shape,
  space: Shape,
  spacing: unknown,
): readonly number[] {
  if (space.length < 1 || space.length > 3) {
    throw new TypeError(
      `Cannot compute ${caller} as ${argument} must have one to three axes of space: ` +
        `current shape is ${formatShape(shape)}`,
    );
  }
  const steps = Array.isArray(spacing) ? spacing : space.map(() => spacing);
  if (steps.length !== space.length) {
    throw new TypeError(
      `Cannot compute ${caller} as spacing must be one number, or one for each of ` +
        `${space.length} axes: current value is ${describe(spacing)}`,
    );
  }
  steps.forEach((step, i) => {
    const name = Array.isArray(spacing) ? `spacing[${i}]` : "spacing";
    checkNumber(caller, name, step, SPACINGS);
  });
  return steps;
}
