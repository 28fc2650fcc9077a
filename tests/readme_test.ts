import {
  argSort,
  asymmetricLoss,
  batchMixingLoss,
  binaryCrossEntropyLoss,
  classWeights,
  clDiceLoss,
  clip,
  clusteringCompactnessLoss,
  concat,
  coxLoss,
  crossEntropyLoss,
  diceLoss,
  type DiceOptions,
  type DType,
  energyDistance,
  evidentialLoss,
  eye,
  focalLoss,
  gaussianNllLoss,
  generalizedDiceLoss,
  grad,
  hmcnLoss,
  key,
  klDivergence,
  l2Normalize,
  log,
  logSoftmax,
  lovaszLoss,
  maskedMseLoss,
  maskedVoxelLoss,
  matthewsLoss,
  maximum,
  mmdLoss,
  negativeBinomialLoss,
  normal,
  pairwiseDistance,
  sigmoid,
  softmax,
  stack,
  type Tensor,
  tensor,
  tverskyLoss,
  unicellFocalLoss,
  unifiedFocalLoss,
  vaeLoss,
  zeros,
  zinbLoss,
} from "@cellgrad/cellgrad";
import { signedDistance } from "@cellgrad/cellgrad/data";
import * as losses from "@cellgrad/cellgrad/losses";
import * as metrics from "@cellgrad/cellgrad/metrics";
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import batchMixing from "./golden/batch_mixing.json" with { type: "json" };
import maskedVoxel from "./golden/masked_voxel_loss.json" with { type: "json" };
import tversky from "./golden/tversky.json" with { type: "json" };
import unicellFocal from "./golden/unicell_focal.json" with { type: "json" };
import zinb from "./golden/zinb_nll.json" with { type: "json" };
import type { GoldenFile } from "./golden/golden.ts";
import { ignoreOff } from "./losses/laws.ts";
import { assertListed } from "./guards.ts";

const ROOT = new URL("../", import.meta.url);
const README = Deno.readTextFileSync(new URL("README.md", ROOT));

/** The rows of the tables whose first column is called `first`, under their head, cell by cell. */
function tableOf(first: string): string[][] {
  const tables = README.split("\n\n").filter((text) => text.startsWith(`| ${first} |`));
  assert(tables.length > 0, `there is no table of ${first}`);
  const rows = tables.map((text) => text.trimEnd().split("\n"));
  return [rows[0]![0]!, ...rows.flatMap(([, , ...lines]) => lines)]
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** The names in the first column. */
function namesIn(first: string): string[] {
  return tableOf(first).slice(1).map(([name]) => name!.replaceAll("`", ""));
}

Deno.test("README lists every loss and what comes with them once", () => {
  const names = [...namesIn("loss"), ...namesIn("with them")];
  assertListed("README's tables of losses", names, Object.keys(losses));
  assertEquals(names.length, new Set(names).size);
});

Deno.test("README lists every metric once", () => {
  assertListed("README's table of metrics", namesIn("metric"), Object.keys(metrics));
});

Deno.test("README has no empty cell in its tables of losses and metrics", () => {
  for (const first of ["loss", "with them", "function", "metric"]) {
    const [head, ...rows] = tableOf(first);
    for (const row of rows) {
      assertEquals([row[0], row.length], [row[0], head!.length]);
      for (const cell of row) assertNotEquals(cell, "", row[0]);
    }
  }
});

Deno.test("README says of every loss which direction is better", () => {
  for (const [name, , , direction] of tableOf("loss").slice(1)) {
    assert(/\b(lower|higher) is /.test(direction!), name);
  }
});

/** Inputs of a case of a golden file. */
function inputsOf<Name extends string>(
  file: unknown,
  id: string,
  ...names: Name[]
): Record<Name, Tensor> {
  const { inputs } = (file as GoldenFile).cases.find((c) => c.id === id)!;
  const tensors = names.map((name) => {
    const { data, shape, dtype } = inputs[name]!;
    return [name, tensor([...data], { shape, dtype: KINDS[dtype!] })];
  });
  return Object.fromEntries(tensors);
}

const KINDS: Record<string, DType> = { f64: "float64", i32: "int32" };

/** A voxel with p = 0.9 and weight 33: the share of its weighted loss that focusing leaves. */
function focusedShare(ptFromWeighted: boolean): Tensor {
  const options = { weight: [1, 33], ptFromWeighted };
  return focalLoss([[0, Math.log(9)]], [1], options).div(33 * -Math.log(0.9));
}

/** UniCell's loss with the one-hot rows that Python's indices give. */
function unicellOriginal(logits: number[], label: number): Tensor {
  const oneHot = (eye(logits.length).toArray() as number[][]).at(label)!;
  const p = softmax(logits);
  return log(p).neg().mul(p.sub(1).square()).mul(oneHot).mean();
}

/** Two cells of weight 2 at one place, ε = ρ = 1. */
const heavy = () =>
  losses.sinkhornDivergence([[0]], [[0]], {
    ...{ epsilon: 1, reach: 1, debias: false },
    ...{ weightsX: [2], weightsY: [2] },
  });

function mixing(selection: "topk" | "soft"): Tensor {
  const { embeddings, batch_labels } = inputsOf(batchMixing, "topk1", "embeddings", "batch_labels");
  const options = { selection, nNeighbors: 3 };
  return batchMixingLoss(embeddings, batch_labels, options);
}

function zeroInflated(zeroIndicator: "hard" | "soft"): Tensor {
  const names = ["counts", "log_rate", "log_theta", "pi_logit"] as const;
  const { counts, log_rate, log_theta, pi_logit } = inputsOf(zinb, "random", ...names);
  return zinbLoss(counts, log_rate, log_theta, pi_logit, { zeroIndicator });
}

/** A cell that is only known to be a cell. */
function shallow(maskMissingLevels: boolean): Tensor {
  const hierarchy = {
    levels: new Int32Array([0, 1, 1]),
    membership: [[[1], [1], [1]], [[0, 0], [1, 0], [0, 1]]],
  };
  const options = { inputType: "scGPT", maskMissingLevels } as const;
  return hmcnLoss([[0, 0]], [[[0, 2]]], [0], hierarchy, options).local;
}

function hinge(hingeSoftness: number): Tensor {
  const options = { centroids: [[-0.5], [0.5]], hingeSoftness };
  return clusteringCompactnessLoss([[0]], [[0, 0]], options);
}

const hopeless = tensor([[0, 0, -Infinity]]);
const halves = tensor([[0.5, 0.5, 0]]);
const someShares = tensor([[[0.3, 0.4, 0.7, 0.9]], [[0.3, 0.4, 0.7, 0.9]]]);

/** Three classes by even chances, of which the third is not labelled. */
function evenChances(options: DiceOptions): Tensor {
  return diceLoss([[0, 0, 0], [0, 0, 0]], [0, 1], { smooth: 0, ...options });
}

/** MONAI's Dice loss of soft labels: `1 − (Σ q + Σ y − Σ |q − y|) / (Σ q + Σ y)`. */
function softLabelDice(q: Tensor, y: Tensor): Tensor {
  const sizes = q.add(y).sum();
  return sizes.sub(q.sub(y).abs().sum()).div(sizes).neg().add(1);
}

/** A row of MONAI's table of focal losses: equal logits of three classes at four positions. */
const MONAI_FOCAL = [zeros([4, 3]), [0, 1, 2, 0]] as const;

/** Equal logits of two classes of 1e5 positions each. */
const LARGE = [zeros([1, 2, 2e5]), [Array.from({ length: 2e5 }, (_, i) => i % 2)]] as const;

/** MONAI's asymmetric unified focal loss where all is background: cut at 1e-7, averaged over classes. */
function monaiUnified(logits: number[][]): Tensor {
  const [epsilon, delta, gamma] = [1e-7, 0.6, 0.5];
  const q = clip(softmax(tensor(logits, { dtype: "float64" })), epsilon, 1 - epsilon);
  const own = q.slice([0, 0], [logits.length, 1]);
  const focal = own.log().mul(own.neg().add(1).pow(gamma)).mean().mul((delta - 1) / 3);
  const hit = own.sum().add(epsilon);
  const background = hit.div(hit.add(own.neg().add(1).sum().mul(delta))).neg().add(1);
  const wrong = q.slice([0, 1]).sum({ axis: 0 }).mul(1 - delta).add(epsilon);
  const others = wrong.pow(-1).mul(epsilon).neg().add(1).pow(1 - gamma).sum();
  return focal.add(background.add(others).div(3)).div(2);
}

/** Lovász-Softmax of two classes as its authors compute it: Jaccard losses less those before. */
function lovaszOriginal(logits: Tensor, labels: Tensor): Tensor {
  const losses = [0, 1].map((c) => {
    const own = labels.equal(c).cast(logits.dtype);
    const errors = own.sub(softmax(logits).gather(c, { axis: 1 })).abs();
    const order = errors.argSort({ descending: true });
    const found = own.gather(order);
    const union = found.sum().add(found.neg().add(1).cumsum());
    const jaccard = found.sum().sub(found.cumsum()).div(union).neg().add(1);
    const before = concat([zeros([1]), jaccard.slice(0, jaccard.size - 1)]);
    return errors.gather(order).mul(jaccard.sub(before)).sum();
  });
  return stack(losses).mean();
}

/** How far a gradient in float32 is off, in proportion to its largest entry. */
function lostDigits(loss: (logits: Tensor, labels: Tensor) => Tensor): Tensor {
  const logits = normal(key(1), [250_000, 2]);
  const labels = tensor(Int32Array.from({ length: 250_000 }, (_, i) => i % 2));
  const exact = grad(lovaszLoss)(logits.cast("float64"), labels);
  const apart = grad(loss)(logits, labels).sub(exact).abs().max();
  return apart.div(exact.abs().max());
}

/** The correlation of labels and what segmentation_models.pytorch takes for probabilities. */
function matthewsOriginal(given: Tensor, labels: Tensor): Tensor {
  const [p, y] = [given, labels];
  const [absent, apart] = [y.neg().add(1), p.neg().add(1)];
  const count = (a: Tensor, b: Tensor) => a.mul(b).sum().add(1e-5);
  const [tp, fp] = [count(p, y), count(p, absent)];
  const [fn, tn] = [count(apart, y), count(apart, absent)];
  const below = tp.add(fp).mul(tp.add(fn)).mul(tn.add(fp)).mul(tn.add(fn)).sqrt();
  return tp.mul(tn).sub(fp.mul(fn)).div(below).neg().add(1);
}

/** Images of a line of so many places. */
const lineOf = (places: number) =>
  tensor([0, 1, 0]).expandDims(1).mul(tensor(Array.from({ length: 20 }, (_, i) => i < places)));
const [long, short] = [lineOf(20), lineOf(3)];

/** A line of a class that is found, and one of another that is missed, added up. */
function clDicePooled(): Tensor {
  const score = stack([long, short.mul(0)]).sub(0.5).mul(999);
  return clDiceLoss(stack([score.mul(0), score], { axis: 1 }), stack([long, short]));
}

/** The same, each class for itself. */
function clDiceByClass(): Tensor {
  const found = stack([long, long.mul(0)]).sub(0.5).mul(999);
  const missed = found.mul(0).sub(999);
  return clDiceLoss(stack([found.mul(0), found, missed], { axis: 1 }), stack([long, short.mul(2)]));
}

/** The rim of a class, inside. */
function innerRim(): Tensor {
  return signedDistance([[0, 1]], 2, { spacing: 0.5 }).at(0, 1, 1);
}

/** pycox's loss: sums over the rows from the last time back, in the order that sorting leaves. */
function pycoxOriginal(logHazard: number[], times: number[], events: number[]): Tensor {
  const order = argSort(times, { descending: true });
  const [h, e] = [logHazard, events].map((x) => tensor(x).gather(order)) as [Tensor, Tensor];
  const sums = h.sub(h.max()).exp().cumsum().add(1e-7).log().add(h.max());
  return sums.sub(h).mul(e).sum().div(e.sum());
}

/** scvi-tools' negative binomial, as it stands. */
function differenceOfGammas(x: Tensor, mu: Tensor, theta: Tensor): Tensor {
  const both = theta.add(mu).add(1e-8).log();
  const logs = theta.mul(theta.add(1e-8).log().sub(both)).add(x.mul(mu.add(1e-8).log().sub(both)));
  return logs.add(x.add(theta).lgamma()).sub(theta.lgamma()).sub(x.add(1).lgamma()).neg();
}

/** The loss of deep evidential regression, as its code has it. */
function differenceOfLogarithms(evidence: Tensor): Tensor {
  const omega = evidence.mul(2).mul(evidence.add(1));
  const logs = evidence.mul(omega.log()).neg().add(evidence.add(0.5).mul(omega.log()));
  const gammas = evidence.lgamma().sub(evidence.add(0.5).lgamma());
  return evidence.div(Math.PI).log().div(-2).add(logs).add(gammas);
}

const certain = [[[1, 0]], [[0.5, 0.5]]] as const;
const million = tensor([1e6]);
const unicell = inputsOf(unicellFocal, "random2", "logits", "targets");
const volume = inputsOf(tversky, "a0.5_b0.5", "logits", "targets");
const annotated = inputsOf(maskedVoxel, "ce1", "logits", "targets", "mask", "weight");
const annotatedOptions = { weight: annotated.weight };
const annotatedLabels = ignoreOff(annotated.targets, annotated.mask, -100);
const [x, t, mask] = [tensor([2, NaN]), tensor([1, 0]), tensor([1, 0])];

/** Five cells at the same place, one label. */
const alike = [[1, 1], [1, 1], [1, 1], [1, 1], [1, 1]];

/** Three cells of a circle, 10° apart. */
const near = [0, 10, 20].map((a) => [Math.cos(a * Math.PI / 180), Math.sin(a * Math.PI / 180)]);

/** Pairs of cells, of which two are far from all others. */
function hardest(): Tensor {
  return losses.tripletLoss([[0], [1], [1.5], [50], [51]], [0, 0, 1, 2, 2], { mining: "hard" });
}

/** The gradient, by its own weight, of the logit with a margin of a cell on that weight. */
function slopeOnWeight(own: (x: Tensor) => Tensor): Tensor {
  return grad(own)([1, 0]).sum();
}

/** The logit by the root of 1 − cos². */
function rootLogit(x: Tensor): Tensor {
  const cosine = l2Normalize(x).mul([1, 0]).sum();
  const sine = cosine.square().neg().add(1).sqrt();
  return cosine.mul(Math.cos(0.5)).sub(sine.mul(Math.sin(0.5)));
}

/** A cell on the proxy of the other class. */
const opposed = [[[0, 1]], [[1, 0], [0, 1]], [0]] as const;

/** The sums of exponentials themselves. */
function plainProxies(): Tensor {
  const exponentials = tensor([128 * 0.1, 128 * 1.1]).exp();
  return exponentials.add(1).log().mul([1, 0.5]).sum();
}

/** Four cells, whose features do not correlate. */
const corners = tensor([[1, 1], [1, -1], [-1, 1], [-1, -1]]);

/** MONAI's correlations of two views. */
function mixedCounts(a: Tensor, b: Tensor): Tensor {
  const standard = (x: Tensor) => x.div(x.std({ axis: 0, correction: 1 }));
  const correlations = standard(a).transpose().matmul(standard(b)).div(a.shape[0]!);
  return correlations.sub(eye(2)).square().sum();
}

/** What the cells of the table of originals say, row by row: numbers, or errors. */
const ORIGINALS: readonly [name: string, original: () => Tensor, right: () => Tensor][] = [
  ["focalLoss", () => focusedShare(true), () => focusedShare(false)],
  [
    "focalLoss",
    () => unicellFocalLoss(unicell.logits, unicell.targets, { gamma: 0 }),
    () => focalLoss(unicell.logits, unicell.targets, { gamma: 0 }),
  ],
  [
    "unicellFocalLoss",
    () => unicellOriginal([0, 0, 0, 0], -1),
    () => unicellFocalLoss([[0, 0, 0, 0]], [-1]),
  ],
  [
    "classWeights",
    () => classWeights([80, 10, 7, 3], { normalization: "meanOne" }).slice(3),
    () => classWeights([80, 10, 7, 3]).slice(3),
  ],
  [
    "tverskyLoss",
    () => diceLoss(volume.logits, volume.targets),
    () => tverskyLoss(volume.logits, volume.targets, { alpha: 0.5, beta: 0.5 }),
  ],
  [
    "crossEntropyLoss",
    () => crossEntropyLoss([[0, 0]], [-100], { emptyMask: "nan" }),
    () => crossEntropyLoss([[0, 0]], [-100]),
  ],
  [
    "crossEntropyLoss",
    () => logSoftmax(hopeless).mul(halves).sum().neg(),
    () => crossEntropyLoss(hopeless, halves),
  ],
  [
    "binaryCrossEntropyLoss",
    () => maximum(log(tensor([0])), -100).neg(),
    () => binaryCrossEntropyLoss([0], [1]),
  ],
  [
    "diceLoss",
    () => evenChances({ reduction: "sum", absent: "skip" }).div(3),
    () => evenChances({}),
  ],
  [
    "diceLoss",
    () => softLabelDice(someShares, someShares),
    () => diceLoss(someShares, someShares, { activation: "none", smooth: 0 }),
  ],
  ["focalLoss", () => focalLoss(...MONAI_FOCAL).div(3), () => focalLoss(...MONAI_FOCAL)],
  [
    "generalizedDiceLoss",
    () => generalizedDiceLoss(...LARGE),
    () => generalizedDiceLoss(...LARGE, { smooth: 0 }),
  ],
  [
    "unifiedFocalLoss",
    () => monaiUnified([[-10, 10, -10], [-10, 10, -10]]),
    () => unifiedFocalLoss([[-10, 10, -10], [-10, 10, -10]], [0, 0]),
  ],
  [
    "maskedMseLoss",
    () => maskedMseLoss([1], [2], [0], { emptyMask: "nan" }),
    () => maskedMseLoss([1], [2], [0]),
  ],
  [
    "maskedMseLoss",
    () => x.mul(mask).sub(t.mul(mask)).square().sum().div(mask.sum()),
    () => maskedMseLoss(x, t, mask),
  ],
  [
    "mmdLoss",
    () => zeros([0, 2]).mean({ axis: 0 }).sub([1, 0]).norm(),
    () => mmdLoss([[0, 0], [2, 0], [3, 4], [5, 4]], [0, 0, 2, 2]),
  ],
  [
    "energyDistance",
    () => pairwiseDistance([[0]], [[3]]), // a point is at no distance from itself
    () => energyDistance([[0]], [[3]]),
  ],
  [
    "sinkhornDivergence",
    () => heavy().add((2 + 2) / 2 - 2 * 2),
    () => heavy(),
  ],
  ["batchMixingLoss", () => mixing("soft"), () => mixing("topk")],
  ["zinbLoss", () => zeroInflated("soft"), () => zeroInflated("hard")],
  [
    "vaeLoss",
    () => sigmoid(tensor([-30])).add(1e-8).log().neg(),
    () => vaeLoss([1], [-30], [0], [0], { reconstructionLoss: "bce" }),
  ],
  ["lovaszLoss", () => lostDigits(lovaszOriginal), () => lostDigits(lovaszLoss)],
  [
    "matthewsLoss",
    () => matthewsOriginal(tensor([3, -2]), tensor([1, 0])),
    () => matthewsLoss([[0, 3], [0, -2]], [1, 0]),
  ],
  [
    "asymmetricLoss",
    () => sigmoid(tensor([-30])).maximum(1e-8).log().mul(sigmoid(tensor([30]))).neg(),
    () => asymmetricLoss([-30], [1]),
  ],
  ["clDiceLoss", clDicePooled, clDiceByClass],
  ["signedDistance", () => innerRim().add(1), innerRim],
  ["hmcnLoss", () => shallow(false), () => shallow(true)],
  [
    "maskedVoxelLoss",
    () =>
      maskedVoxelLoss(
        annotated.logits,
        annotated.targets,
        annotated.mask,
        annotatedOptions,
      ),
    () => crossEntropyLoss(annotated.logits, annotatedLabels, annotatedOptions),
  ],
  ["clusteringCompactnessLoss", () => hinge(0.1), () => hinge(0)],
  [
    "supervisedContrastiveLoss",
    () => losses.supervisedContrastiveLoss(alike, [0, 0, 0, 0, 0]).mul(0.1 / 0.07),
    () => losses.supervisedContrastiveLoss(alike, [0, 0, 0, 0, 0]),
  ],
  [
    "supervisedContrastiveLoss",
    () => zeros([]),
    () => losses.supervisedContrastiveLoss(near, [0, 0, 0]),
  ],
  ["tripletLoss", () => hardest().mul(4).div(2), hardest],
  [
    "arcFaceLoss",
    () => slopeOnWeight(rootLogit),
    () => slopeOnWeight((x) => losses.arcFaceLoss(x.expandDims(0), [[1, 0], [-1, 0]], [0])),
  ],
  ["proxyAnchorLoss", plainProxies, () => losses.proxyAnchorLoss(...opposed, { alpha: 128 })],
  [
    "centerLoss",
    () => losses.centerLoss([[3, 4], [0, 0]], [0, 1], [[0, 0], [1, 0]]).mul(2),
    () => losses.centerLoss([[3, 4], [0, 0]], [0, 1], [[0, 0], [1, 0]]),
  ],
  [
    "vicRegLoss",
    () => losses.vicRegLoss(alike, alike, { variance: 50 }),
    () => losses.vicRegLoss(alike, alike),
  ],
  [
    "barlowTwinsLoss",
    () => mixedCounts(corners, corners),
    () => losses.barlowTwinsLoss(corners, corners),
  ],
  [
    "gaussianNllLoss",
    () => gaussianNllLoss([0], [1e-4], tensor([1e-8]).clip(1e-6, Infinity)),
    () => gaussianNllLoss([0], [1e-4], [1e-8]),
  ],
  [
    "coxLoss",
    () => pycoxOriginal([0, 2], [1, 1], [1, 1]),
    () => coxLoss([0, 2], [1, 1], [1, 1]),
  ],
  [
    "coxLoss",
    () => pycoxOriginal([0, -30, -30], [1, 2, 3], [0, 1, 0]),
    () => coxLoss([0, -30, -30], [1, 2, 3], [0, 1, 0]),
  ],
  [
    "negativeBinomialLoss",
    () => differenceOfGammas(tensor([2]), tensor([2]), million),
    () => negativeBinomialLoss([2], [2], million),
  ],
  [
    "klDivergence",
    () => klDivergence(certain[0], certain[1]).div(2),
    () => klDivergence(certain[0], certain[1]),
  ],
  [
    "evidentialLoss",
    () => differenceOfLogarithms(million),
    () => evidentialLoss([1], [1], million, million, million),
  ],
];

/** Asserts what a cell says, to the digits that it has. */
function assertCell(name: string, cell: string, compute: () => Tensor): void {
  if (cell === "RangeError") return void assertThrows(compute, RangeError);
  const digits = cell.split(".")[1]?.length ?? 0;
  const expected = Number(cell.replace("−", "-").replace("∞", "Infinity"));
  const value = compute().item();
  assertEquals([name, value.toFixed(digits)], [name, expected.toFixed(digits)]);
}

Deno.test("README says of every original that is wrong by how much it is", () => {
  const rows = tableOf("function").slice(1);
  assertEquals(rows.map(([name]) => name), ORIGINALS.map(([name]) => `\`${name}\``));
  rows.forEach((row, i) => {
    const [name, original, right] = ORIGINALS[i]!;
    assertCell(name, row[5]!, original);
    assertCell(name, row[6]!, right);
  });
});

Deno.test("README names only files that exist", () => {
  const files = [...README.matchAll(/`([\w./-]+\.(?:md|ts|json))`/g)].map(([, path]) => path!);
  for (const path of files.filter((path) => !path.startsWith("out/"))) {
    assert(Deno.statSync(new URL(path, ROOT)).isFile, path);
  }
});
