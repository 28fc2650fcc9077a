/** A U-Net of three levels beside the pixel classifier of `06_segment.ts`, on held-out micrographs. */
import * as cg from "@cellgrad/cellgrad";
import { segmentationMetrics } from "@cellgrad/cellgrad/metrics";
import { runProgram } from "./lib/arguments.ts";
import { forward, initNetwork, type Network } from "./lib/network.ts";
import { CLASSES, simulateMicrograph } from "./lib/segment/micrograph.ts";
import { type Batches, drawPixels, drawSquares } from "./lib/segment/draw_batches.ts";
import { simulatePixels } from "./lib/segment/pixels.ts";

type Tensor = cg.Tensor;
type Params = Record<string, Tensor>;

const [SIZE, TRAIN, TEST, STEPS] = [160, 4, 2, 800];

/** The i-th image: centred brightness, and labels. */
function imageOf(i: number): Tensor {
  const { image, labels } = simulateMicrograph(SIZE, i);
  const brightness = cg.tensor(Float32Array.from(image.data)).sub(0.6).div(0.12);
  return cg.stack([brightness, labels]).reshape(2, SIZE, SIZE);
}

/** Channels in and out of each convolution. */
const LAYERS = {
  ...{ fine1: [1, 8], fine2: [8, 8], middle1: [8, 16], middle2: [16, 16], coarse1: [16, 32] },
  ...{ coarse2: [32, 32], up1: [48, 16], up2: [16, 16], top1: [24, 8], top2: [8, 8], last: [8, 4] },
};

const start: Params = Object.fromEntries(
  Object.entries(LAYERS).flatMap(([name, [inputs, outputs]], i) => [
    [
      name,
      cg.normal(cg.foldIn(cg.key(1), i), [outputs!, inputs!, 3, 3]).div(Math.sqrt(9 * inputs!)),
    ],
    [`${name}.bias`, cg.zeros([outputs!, 1, 1])],
  ]),
);

/** Images (n, 1, y, x) to logits (n, classes, y, x); both axes are multiples of 4. */
function unet(p: Params, x: Tensor): Tensor {
  const convolve = (x: Tensor, name: string) => cg.conv(x, p[name]!, { padding: "same" });
  const layer = (x: Tensor, name: string) =>
    cg.layerNorm(convolve(x, name), { axis: [2, 3], shift: p[`${name}.bias`]! }).relu();
  const block = (x: Tensor, name: string) => layer(layer(x, `${name}1`), `${name}2`);
  const join = (low: Tensor, high: Tensor) =>
    cg.concat([cg.resize(low, high.shape.slice(2)), high], { axis: 1 });
  const fine = block(x, "fine");
  const middle = block(cg.maxPool(fine, 2), "middle");
  const coarse = block(cg.maxPool(middle, 2), "coarse");
  const top = block(join(block(join(coarse, middle), "up"), fine), "top");
  return convolve(top, "last").add(p["last.bias"]!);
}

type Model = (params: Params, x: Tensor) => Tensor;

/** What is predicted of held-out pixels, and what they are. */
interface Test {
  x: Tensor;
  labels: Int32Array;
}

/** Learns parameters with Adam, and prints how well it then tells held-out pixels apart. */
async function compare(name: string, start: Params, model: Model, batch: Batches, test: Test) {
  const { init, update } = cg.adam({ learningRate: cg.cosine(0.01, { steps: STEPS }) });
  const loss = (params: Params, x: Tensor, labels: Tensor) => {
    const logits = model(params, x);
    return cg.crossEntropyLoss(logits, labels).add(cg.diceLoss(logits, labels));
  };
  let [params, state] = [start, init(start)];
  const step = (p: Params, s: typeof state, x: Tensor, labels: Tensor) =>
    update(cg.grad(loss)(p, x, labels), s, p);
  await using program = await cg.compile(step, [params, state, ...batch(0)], { threads: 2 });
  for (let i = 0; i < STEPS; i++) ({ params, state } = await program(params, state, ...batch(i)));
  const predicted = model(params, test.x).argMax({ axis: 1 }).reshape(-1);
  const { iou, meanIou } = segmentationMetrics(predicted, test.labels, { numClasses: 4 });
  const each = CLASSES.map((label, i) => `${label} ${iou[i]!.toFixed(3)}`).join(", ");
  console.log(`${name}: mean IoU ${meanIou.toFixed(3)} (${each})`);
}

async function main(): Promise<void> {
  const pixels = simulatePixels({ size: SIZE, trainImages: TRAIN, testImages: TEST }, 0);
  const { features, labels } = pixels.test;
  const classifier = initNetwork(cg.key(4), features.shape[1]!, 32, CLASSES.length);
  const pixelwise: Model = (params, x) => forward(params as Network, x);
  const rows = drawPixels(cg.key(3), pixels.train, 2048);
  await compare("pixel classifier", classifier, pixelwise, rows, { x: features, labels });
  const images = Array.from({ length: TRAIN + TEST }, (_, i) => imageOf(i));
  const squares = drawSquares(cg.key(2), images.slice(0, TRAIN), 2, 64);
  const x = cg.stack(images.slice(TRAIN)).slice([0, 0], [TEST, 1]);
  await compare("U-Net", start, unet, squares, { x, labels });
}

const PROGRAM = {
  command: "deno task example:unet",
  summary: "Trains a U-Net on simulated micrographs, beside a classifier of pixels.",
  options: {},
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);
