/**
 * Skeletons of images between 0 and 1, by minima and maxima of neighbours.
 *
 * @module
 */
import { add, maxPool, minimum, mul, neg, relu, sub } from "../ops/mod.ts";
import type { Tensor } from "../tensor.ts";

/**
 * What erosion and opening leave over, turn after turn: near 1 along the middle of what is bright.
 *
 * @param images (N, C, …spatial), each (…spatial) for itself.
 * @param iterations How often to erode: half the width of what is to be thinned.
 * @returns The skeletons, of the same shape.
 */
export function softSkeleton(images: Tensor, iterations: number): Tensor {
  let inner = images;
  let eroded = erode(inner);
  let skeleton = relu(sub(inner, dilate(eroded)));
  // After so many steps from neighbour to neighbour an image is its least value everywhere.
  const most = images.shape.slice(2).reduce((sum, n) => sum + n - 1, 0);
  for (let i = 0; i < Math.min(iterations, most); i++) {
    inner = eroded;
    eroded = erode(inner);
    const left = relu(sub(inner, dilate(eroded)));
    skeleton = add(skeleton, mul(sub(1, skeleton), left));
  }
  return skeleton;
}

/** The least of each place and its neighbours along the axes. */
function erode(x: Tensor): Tensor {
  const inverse = neg(x);
  return axesOf(x).map((axis) => neg(highest(inverse, axis))).reduce((a, b) => minimum(a, b));
}

/** The largest of each place and all neighbours, those across corners too. */
function dilate(x: Tensor): Tensor {
  return axesOf(x).reduce(highest, x);
}

/** The largest of three neighbours along an axis of space; of two at a border. */
function highest(x: Tensor, axis: number): Tensor {
  const along = (inside: number, across: number) =>
    axesOf(x).map((other) => other === axis ? inside : across);
  return maxPool(x, along(3, 1), { stride: 1, padding: along(1, 0) });
}

function axesOf(x: Tensor): number[] {
  return x.shape.slice(2).map((_, i) => i);
}
