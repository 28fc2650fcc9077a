/** A U-Net of three levels beside the pixel classifier of `06_segment.ts`, on held-out micrographs. */
import * as cg from "@cellgrad/cellgrad";
import { segmentationMetrics } from "@cellgrad/cellgrad/metrics";
import { forward, initNetwork } from "./lib/network.ts";
import { CLASSES, type Micrograph, simulateMicrograph } from "./lib/segment/micrograph.ts";
import { simulatePixels } from "./lib/segment/pixels.ts";

type Tensor = cg.Tensor;
type Layer = { weight: Tensor; bias: Tensor };
type UNet = { fine: Layer[]; middle: Layer[]; coarse: Layer[]; up: Layer[]; top: Layer[] };

const [SIZE, TRAIN, TEST, CROP, BATCH, STEPS] = [160, 4, 2, 64, 8, 300];
const images = Array.from({ length: TRAIN + TEST }, (_, i) => simulateMicrograph(SIZE, i));

/** Convolutions of so many channels each, with kernels of `size` places along each axis. */
function layers(key: Tensor, channels: number[], size = 3): Layer[] {
  return channels.slice(1).map((outputs, i) => {
    const shape = [outputs, channels[i]!, size, size];
    const scale = Math.sqrt(2 / (channels[i]! * size * size));
    return {
      weight: cg.normal(cg.foldIn(key, i), shape).mul(scale),
      bias: cg.zeros([outputs, 1, 1]),
    };
  });
}

const convolve = (x: Tensor, { weight, bias }: Layer) =>
  cg.conv(x, weight, { padding: "same" }).add(bias);
const block = (layers: Layer[], x: Tensor) => layers.reduce((y, l) => convolve(y, l).relu(), x);

/** Images (n, 1, y, x) to logits (n, classes, y, x); both axes are multiples of 4. */
function unet(net: UNet, x: Tensor): Tensor {
  const join = (low: Tensor, high: Tensor) =>
    cg.concat([cg.resize(low, high.shape.slice(2)), high], { axis: 1 });
  const fine = block(net.fine, x);
  const middle = block(net.middle, cg.maxPool(fine, 2));
  const coarse = block(net.coarse, cg.maxPool(middle, 2));
  const joined = join(block(net.up, join(coarse, middle)), fine);
  return convolve(block(net.top.slice(0, -1), joined), net.top.at(-1)!);
}

/** Learns parameters by Adam from one batch after the other. */
async function fit<P>(
  start: P,
  model: (params: P, x: Tensor) => Tensor,
  batch: (step: number) => [x: Tensor, labels: Tensor],
): Promise<P> {
  const { init, update } = cg.adam({ learningRate: cg.cosine(0.01, { steps: STEPS }) });
  const loss = (params: P, x: Tensor, labels: Tensor) => {
    const logits = model(params, x);
    return cg.crossEntropyLoss(logits, labels).add(cg.diceLoss(logits, labels));
  };
  const step = (params: P, state: ReturnType<typeof init>, x: Tensor, labels: Tensor) =>
    update(cg.grad(loss)(params, x, labels), state, params);
  let [params, state] = [start, init(start)];
  await using program = await cg.compile(step, [params, state, ...batch(0)], { threads: 2 });
  for (let i = 0; i < STEPS; i++) ({ params, state } = await program(params, state, ...batch(i)));
  return params;
}

/** Squares of training images, turned over at random, for each step. */
function crops(step: number): [x: Tensor, labels: Tensor] {
  const draws = cg.uniform(cg.foldIn(cg.key(3), step), [BATCH, 5]).data;
  const [x, labels] = [new Float32Array(BATCH * CROP * CROP), new Int32Array(BATCH * CROP * CROP)];
  for (let at = 0; at < x.length; at++) {
    const [n, i, j] = [Math.floor(at / CROP ** 2), Math.floor(at / CROP) % CROP, at % CROP];
    const [which, top, left, down, across] = draws.slice(5 * n, 5 * n + 5) as Float32Array;
    const row = Math.floor(top! * (SIZE - CROP + 1)) + (down! < 0.5 ? i : CROP - 1 - i);
    const column = Math.floor(left! * (SIZE - CROP + 1)) + (across! < 0.5 ? j : CROP - 1 - j);
    const image = images[Math.floor(which! * TRAIN)]!;
    x[at] = image.image.data[row * SIZE + column]!;
    labels[at] = image.labels[row * SIZE + column]!;
  }
  const shape = [BATCH, CROP, CROP];
  return [cg.tensor(x, { shape }).reshape(BATCH, 1, CROP, CROP), cg.tensor(labels, { shape })];
}

/** Prints how well held-out pixels are told apart. */
function report(name: string, logits: Tensor, truth: Int32Array): void {
  const numClasses = CLASSES.length;
  const classes = logits.argMax({ axis: 1 }).reshape(-1);
  const { iou, meanIou } = segmentationMetrics(classes, truth, { numClasses });
  const each = CLASSES.map((c, i) => `${c} ${iou[i]!.toFixed(3)}`).join(", ");
  console.log(`${name}: mean IoU ${meanIou.toFixed(3)} (${each})`);
}
const t0 = performance.now();
const pixels = simulatePixels({ size: SIZE, trainImages: TRAIN, testImages: TEST }, 0);
const rows = (step: number): [Tensor, Tensor] => {
  const draws = cg.uniform(cg.foldIn(cg.key(4), step), [2048]).data;
  const some = Int32Array.from(draws, (u) => Math.floor(u * pixels.train.labels.length));
  const labels = some.map((pixel) => pixels.train.labels[pixel]!);
  return [pixels.train.features.gather(some), cg.tensor(labels)];
};
console.log("data", performance.now() - t0);
const features = pixels.train.features.shape[1]!;
const classifier = await fit(initNetwork(cg.key(1), features, 32, CLASSES.length), forward, rows);
console.log("pixels", performance.now() - t0);
report("pixel classifier", forward(classifier, pixels.test.features), pixels.test.labels);

const keys = Array.from({ length: 5 }, (_, i) => cg.foldIn(cg.key(2), i)) as [Tensor, Tensor, Tensor, Tensor, Tensor];
const net = await fit({
  fine: layers(keys[0], [1, 8, 8]),
  middle: layers(keys[1], [8, 16, 16]),
  coarse: layers(keys[2], [16, 32, 32]),
  up: layers(keys[3], [48, 16, 16]),
  top: layers(keys[4], [24, 8, CLASSES.length]),
}, unet, crops);
console.log("unet", performance.now() - t0);
const heldOut = images.slice(TRAIN);
const x = cg.stack(heldOut.map(({ image }: Micrograph) => cg.tensor(Float32Array.from(image.data)).reshape(1, SIZE, SIZE)));
report("U-Net", unet(net, x), pixels.test.labels);
console.log("done", performance.now() - t0);
