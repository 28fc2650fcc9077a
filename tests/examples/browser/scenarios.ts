/**
 * Everything that is tried in the browser, in order.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Chromium, Tab } from "./chromium.ts";
import { dropFile, missVelocity, refuseFiles, useFile } from "./file_scenarios.ts";
import { checkGoldenVectors, checkLosses, openTestPage } from "./golden_scenario.ts";
import {
  assertFits,
  editParameters,
  goWithoutWebGpu,
  loseDevice,
  pauseTraining,
  readLabels,
  seeFirstLoss,
  untilReady,
} from "./page_scenarios.ts";

/** What scenarios play on. */
export interface Stage {
  /** The browser. */
  chromium: Chromium;
  /** The address of the page. */
  url: string;
  /** A folder for files. */
  folder: string;
  /** Keeps a picture, if pictures are wanted. */
  picture: (name: string, tab: Tab) => Promise<void>;
}

/** Opens the page at a width, and runs something before its script. */
async function openPage({ chromium, url }: Stage, width: number, before?: string): Promise<Tab> {
  const tab = await chromium.open();
  await tab.resize(width, width < 600 ? 844 : 900);
  if (before) await tab.send("Page.addScriptToEvaluateOnNewDocument", { source: before });
  await tab.goto(url);
  return tab;
}

/** Hides WebGPU. */
const NO_WEBGPU = `Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined })`;

/** Lends the page's device to the test. */
const LEND_DEVICE = `const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    return globalThis.lentDevice = await request.apply(this, args);
  };`;

/** By what they show. */
export const SCENARIOS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  "golden vectors of all losses hold on WebGPU in Chromium": async ({ chromium, folder }) => {
    await using tab = await openTestPage(chromium, folder);
    assert(await checkGoldenVectors(tab) >= 30);
    assert(await checkLosses(tab) > 60);
  },
  "the page checks and trains a loss on both devices, and follows its parameters": async (
    stage,
  ) => {
    await using tab = await openPage(stage, 1280);
    await seeFirstLoss(tab);
    await assertFits(tab, "The page");
    await stage.picture("desktop", tab);
    await readLabels(tab);
    await editParameters(tab);
    await pauseTraining(tab);
    assertEquals(tab.errors, []);
  },
  "the page takes a table of the reader's own, at the width of a phone": async (stage) => {
    await using tab = await openPage(stage, 390);
    await untilReady(tab);
    await assertFits(tab, "The page on a phone");
    await useFile(tab, stage.folder);
    await stage.picture("phone", tab);
    await missVelocity(tab);
    await refuseFiles(tab, stage.folder);
    await stage.picture("refused", tab);
    await dropFile(tab);
    assertEquals(tab.errors, []);
  },
  "the page works from a file, and where generating code is forbidden": async (stage) => {
    const page = await (await fetch(stage.url)).text();
    assertStringIncludes(page, "'wasm-unsafe-eval' 'unsafe-eval'");
    const file = `${stage.folder}/page.html`;
    await Deno.writeTextFile(file, page.replace(" 'unsafe-eval'", ""));
    await using tab = await openPage({ ...stage, url: `file://${file}` }, 1280);
    await seeFirstLoss(tab);
    assertEquals(tab.errors, []);
  },
  "the page shows the CPU only where there is no WebGPU": async (stage) => {
    await using tab = await openPage(stage, 390, NO_WEBGPU);
    await goWithoutWebGpu(tab);
    await assertFits(tab, "The page without WebGPU");
    await tab.resize(390, 844, "dark");
    await stage.picture("no_webgpu", tab);
    assertEquals(tab.errors, []);
  },
  "the page goes on with the CPU when the device is lost": async (stage) => {
    await using tab = await openPage(stage, 1280, LEND_DEVICE);
    await loseDevice(tab);
    await tab.resize(1280, 900, "dark");
    await stage.picture("lost", tab);
  },
};
