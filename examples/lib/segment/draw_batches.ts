/** Batches of pixels, and of squares of images, drawn at random for each step. */
import { cast, gather, split, stack, type Tensor } from "@cellgrad/cellgrad";
import { foldIn, uniform } from "@cellgrad/cellgrad/random";
import type { Pixels } from "./pixels.ts";

/** What a step learns from. */
export type Batches = (step: number) => [x: Tensor, labels: Tensor];

/** So many pixels with their features (pixels, features). */
export function drawPixels(key: Tensor, { features, labels }: Pixels, count: number): Batches {
  return (step) => {
    const draws = uniform(foldIn(key, step), [count]).mul(labels.length);
    const some = draws.floor().cast("int32");
    return [features.gather(some), gather(labels, some)];
  };
}

/**
 * Squares of so many pixels a side from images (2, y, x) of brightness and labels, turned over
 * along either axis or not: (count, 1, side, side) and (count, side, side).
 */
export function drawSquares(
  key: Tensor,
  images: readonly Tensor[],
  count: number,
  side: number,
): Batches {
  return (step) => {
    const draws = uniform(foldIn(key, step), [count, 5]).toArray() as number[][];
    const squares = draws.map(([which, top, left, down, across]) => {
      const image = images[Math.floor(which! * images.length)]!;
      const y = Math.floor(top! * (image.shape[1]! - side + 1));
      const x = Math.floor(left! * (image.shape[2]! - side + 1));
      const turned = [...down! < 0.5 ? [1] : [], ...across! < 0.5 ? [2] : []];
      return image.slice([0, y, x], [2, y + side, x + side]).flip({ axis: turned });
    });
    const [brightness, labels] = split(stack(squares), 2, { axis: 1 }) as [Tensor, Tensor];
    return [brightness, cast(labels.squeeze(1), "int32")];
  };
}
