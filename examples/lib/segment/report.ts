/** The report of the segmentation losses: one self-contained HTML file. */
import { formatCount, formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { reportPage, settingsSection, tiles } from "../report_parts.ts";
import { greyImage, labelImage } from "./pixel_images.ts";
import {
  claimsSection,
  classSection,
  curveSection,
  tableSection,
  variantSection,
} from "./sections.ts";
import { CLASSES } from "./micrograph.ts";
import type { Budget } from "../training/mod.ts";
import type { Claim } from "./claims.ts";
import type { LossMeasures } from "./measures.ts";
import type { ImageSettings, PixelData } from "./pixels.ts";
import type { StepTime } from "./timing.ts";

/** Everything that {@linkcode segmentReport} shows. */
export interface SegmentResult {
  /** The pixels, and the image that is shown. */
  data: PixelData;
  /** How many images, and how large. */
  images: ImageSettings;
  budget: Budget;
  seed: number;
  device: string;
  /** Every loss, measured: the guide's six, then the variants. */
  measures: LossMeasures[];
  /** Per loss, what its first training says of each held-out pixel. */
  predictions: (Int32Array | undefined)[];
  /** What a step costs, by `id` of the loss. */
  times: ReadonlyMap<string, StepTime>;
  claims: Claim[];
  /** The claim on speed, which is not decided by the seed. */
  speedClaim: Claim;
  /** The guide's printout of its recommended loss. */
  description: string;
  elapsedSeconds: number;
}

export function segmentReport(result: SegmentResult): string {
  const { data, images, measures, times, claims } = result;
  const { size, trainImages, testImages } = images;
  return reportPage(
    "Six segmentation losses, measured",
    markup`<p class="quiet">simulateMicrograph() · ${trainImages} images to learn from, ${testImages} held out ·
${size} × ${size} pixels each · ${data.featureNames.length} features per pixel</p>
<p class="note"><strong>Simulated images.</strong> The micrographs come from random fields, not from a
microscope. Their classes cover what the guide's data do: background 80 %, ER 10 %, mitochondria 7 %,
nucleus 3 % of the pixels.</p>`,
    [
      numbers(result),
      tableSection(measures, times),
      claimsSection([...claims, result.speedClaim]),
      imageSection(result),
      classSection(measures),
      variantSection(measures),
      curveSection(measures),
      describeSettings(result),
    ],
  );
}

function numbers({ measures, claims, speedClaim, elapsedSeconds }: SegmentResult): Markup {
  const six = measures.filter(({ configuration }) => configuration.guide);
  const best = six.reduce((a, b) => b.meanIou > a.meanIou ? b : a);
  const worst = six.reduce((a, b) => b.meanIou < a.meanIou ? b : a);
  const all = [...claims, speedClaim];
  const holding = all.filter(({ verdict }) => verdict === "holds").length;
  return tiles([
    [
      formatMetric(best.meanIou),
      `mean IoU of the best loss, ${best.configuration.name}; 1 is best`,
    ],
    [formatMetric(worst.meanIou), `mean IoU of the worst loss, ${worst.configuration.name}`],
    [`${holding} of ${all.length}`, "claims of the guide hold here"],
    [
      String(measures.reduce((total, { failures }) => total + failures, 0)),
      `trainings whose loss became NaN, of ${measures.length * measures[0]!.meanIous.length}`,
    ],
  ], elapsedSeconds);
}

/** Colours of the classes. */
const COLORS = ["var(--panel)", "var(--type-0)", "var(--type-5)", "var(--type-2)"];

function imageSection({ data, images, measures, predictions }: SegmentResult): Markup {
  const { size } = images;
  const { image, labels } = data.shown;
  const picture = (name: string, note: string, drawing: Markup | undefined) =>
    drawing &&
    markup`<div>${drawing}<h3>${name}<span class="quiet"> ${note}</span></h3></div>\n`;
  const predicted = measures.map(({ configuration, meanIous }, loss) => {
    const pixels = predictions[loss]?.subarray(0, size * size);
    const title = `Prediction under ${configuration.name}`;
    return picture(
      configuration.name,
      `· mean IoU ${formatMetric(meanIous.find(Number.isFinite))}`,
      pixels && labelImage(pixels, size, COLORS, title),
    );
  });
  const entry = (name: string, index: number) =>
    markup`<li><svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><rect width="14"
height="14" fill="${COLORS[index]!}" stroke="var(--line)"/></svg>${name}</li>\n`;
  return markup`<section>
<h2>What the losses draw</h2>
<p class="quiet">The first held-out image, its truth, and what a classifier makes of it under each
loss (the first training; mean IoU over all held-out images). Good is a picture like the truth: holes
in the organelles are pixels missed, specks beside them are over-prediction.</p>
<ul class="legend">
${CLASSES.map(entry)}</ul>
<div class="panels" style="--least:200px;--most:none">
${picture("Micrograph", "· simulated", greyImage(image.data, size, "The simulated micrograph"))}
${picture("Truth", "", labelImage(labels, size, COLORS, "The true classes"))}
${predicted}</div>
</section>`;
}

function describeSettings(
  { budget, images, seed, device, data, description }: SegmentResult,
): Markup {
  const settings: Record<string, string | number> = {
    ...images,
    ...budget,
    optimizer: "Adam",
    "training pixels": formatCount(data.train.labels.length),
    "held-out pixels": formatCount(data.test.labels.length),
    seed,
    device,
  };
  return settingsSection(
    settings,
    markup`<p class="quiet">The same budget for all losses. The guide's printout of its recommended loss, with the
class weights of the training pixels:</p>
<pre>${description}</pre>
<p class="quiet">Features of a pixel: ${data.featureNames.join("; ")}.</p>
`,
  );
}
