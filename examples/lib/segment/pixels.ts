/** The pixels to learn from, and those that are held out. */
import { concat, type Tensor } from "@cellgrad/cellgrad";
import { scaleBoth } from "../z_scores.ts";
import { pixelFeatures } from "./features.ts";
import { CLASSES, type Micrograph, simulateMicrograph } from "./micrograph.ts";

export interface Pixels {
  /** (pixels, features), standardised by the training pixels, `float32`. */
  features: Tensor;
  /** An index of {@linkcode CLASSES} per pixel. */
  labels: Int32Array;
}

/** All that is learned from and measured on. */
export interface PixelData {
  featureNames: string[];
  /** Pixels of the training images. */
  train: Pixels;
  /** Training pixels of each class. */
  classCounts: number[];
  /** Pixels of the held-out images, one image after the other. */
  test: Pixels;
  /** The first held-out image, for the figures. */
  shown: Micrograph;
}

/** How many images there are, and how large they are. */
export interface ImageSettings {
  /** Pixels along each side of an image. */
  size: number;
  trainImages: number;
  testImages: number;
}

/** Seeds of images lie so far apart that other seeds of the program give other images. */
const SEEDS_PER_RUN = 100;

/** Simulates the images and computes the features of their pixels. */
export function simulatePixels(settings: ImageSettings, seed: number): PixelData {
  const { size, trainImages, testImages } = settings;
  const images = Array.from(
    { length: trainImages + testImages },
    (_, i) => simulateMicrograph(size, seed * SEEDS_PER_RUN + i),
  );
  const features = images.map(({ image }) => pixelFeatures(image));
  const [train, test] = [images.slice(0, trainImages), images.slice(trainImages)];
  const values = features.map((feature) => feature.values);
  const scores = scaleBoth(
    concat(values.slice(0, trainImages)),
    concat(values.slice(trainImages)),
  );
  const labels = labelsOf(train);
  return {
    featureNames: features[0]!.names,
    train: { features: scores.seen, labels },
    classCounts: CLASSES.map((_, c) => labels.reduce((n, label) => n + Number(label === c), 0)),
    test: { features: scores.heldOut, labels: labelsOf(test) },
    shown: test[0]!,
  };
}

function labelsOf(images: readonly Micrograph[]): Int32Array {
  return Int32Array.from(images.flatMap(({ labels }) => Array.from(labels)));
}
