import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { speedClaim, testClaims } from "../../../examples/lib/segment/claims.ts";
import { GUIDE_LOSSES, VARIANTS } from "../../../examples/lib/segment/configurations.ts";
import { learn, type Run } from "../../../examples/lib/segment/learn.ts";
import { summarize } from "../../../examples/lib/segment/measures.ts";
import { type PixelData, simulatePixels } from "../../../examples/lib/segment/pixels.ts";
import { segmentReport } from "../../../examples/lib/segment/report.ts";

const IMAGES = { size: 40, trainImages: 1, testImages: 1 };
const BUDGET = { epochs: 1, batch: 256, hidden: 4, learningRate: 0.01 };
const BROKEN = { metrics: undefined, prediction: undefined, history: [], failure: "NaN" };

async function twoRuns(data: PixelData): Promise<Run[]> {
  const runs = [];
  for (const repeat of [0, 1]) {
    const folder = await Deno.makeTempDir({ prefix: "segment" });
    const run = await learn(data, GUIDE_LOSSES[0]!, repeat, BUDGET, {
      device: "cpu",
      folder,
      resume: false,
      settings: {},
      seed: 0,
      signal: new AbortController().signal,
    });
    await Deno.remove(folder, { recursive: true });
    runs.push(run!);
  }
  return runs;
}

/** The report of runs that are the same under all losses but one. */
function report(data: PixelData, runs: Run[], different: Record<string, Run[]> = {}): string {
  const losses = [...GUIDE_LOSSES, ...VARIANTS];
  const measures = losses.map((loss) => summarize(loss, different[loss.id] ?? runs));
  const times = new Map(GUIDE_LOSSES.map(({ id }) => [id, { step: 2, loss: 1 }]));
  return segmentReport({
    data,
    images: IMAGES,
    budget: BUDGET,
    seed: 0,
    device: "cpu",
    measures,
    predictions: losses.map(({ id }) => (different[id] ?? runs)[0]!.prediction),
    times,
    claims: testClaims(Object.fromEntries(measures.map((m) => [m.configuration.id, m]))),
    speedClaim: speedClaim(times),
    description: "Loss Configuration:",
    elapsedSeconds: 1,
  });
}

Deno.test("segmentReport() shows all, whether trainings broke down or not", async () => {
  const data = simulatePixels(IMAGES, 0);
  const runs = await twoRuns(data);
  const whole = report(data, runs);
  const pictures = (text: string) => text.match(/role="img"/g)!.length;
  assertEquals(pictures(whole), 2 + GUIDE_LOSSES.length + VARIANTS.length);
  assertStringIncludes(whole, "trainings whose loss became NaN, of 20");

  const broken = report(data, runs, { dice: [BROKEN, BROKEN], focal: [BROKEN, runs[1]!] });
  assertEquals(pictures(broken), pictures(whole) - 2);
  assertStringIncludes(broken, "diverges, 2 NaN");
  assertStringIncludes(broken, "No training came to its end.");
  for (const text of [whole, broken]) {
    assertFalse(/undefined|NaN ×|>NaN<|Infinity/.test(text));
    assertFalse(/<(script|link|img|iframe)|url\(|@import/.test(text));
  }
});
