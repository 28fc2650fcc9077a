/**
 * The golden vectors and the page's losses, on WebGPU in the browser.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { bundle } from "../../../examples/browser/build.ts";
import { GRADIENT_TOLERANCE } from "../../../examples/browser/check_view.ts";
import { compare, type GoldenFile, ILL_CONDITIONED } from "../../golden/golden.ts";
import { GOLDEN_FUNCTIONS } from "../../golden/functions.ts";
import type { Chromium, Tab } from "./chromium.ts";
import type { GoldenOutcome, LossOutcome } from "./test_page.ts";

const GOLDEN = new URL("../../golden/", import.meta.url);

/** float32, and functions that are less exact than the host's; on the scale of the largest entry. */
const TOLERANCE = { rtol: 2e-4, atol: 5e-6 };

/** Opens a page that computes what it is asked to. */
export async function openTestPage(chromium: Chromium, folder: string): Promise<Tab> {
  const script = await bundle(new URL("test_page.ts", import.meta.url));
  const file = `${folder}/test_page.html`;
  const head = '<!doctype html><meta charset="utf-8"><title>Test</title>';
  await Deno.writeTextFile(file, `${head}<body><script>${script}</script>`);
  const tab = await chromium.open();
  await tab.goto(`file://${file}`);
  return tab;
}

/**
 * The first golden case of every loss that float32 can hold, against its reference; all of them are
 * computed on the device of Deno's tests.
 */
export async function checkGoldenVectors(tab: Tab): Promise<number> {
  let count = 0;
  for (const loss of Object.keys(GOLDEN_FUNCTIONS)) {
    const text = await Deno.readTextFile(new URL(`${loss}.json`, GOLDEN));
    const cases = (JSON.parse(text) as GoldenFile).cases.filter(({ id, note, grads }) =>
      !ILL_CONDITIONED.test(`${id} ${note ?? ""}`) && Object.keys(grads).length > 0
    ).slice(0, 1);
    assert(cases.length > 0, `${loss} has no cases`);
    const outcomes = await tab.evaluate<GoldenOutcome[]>(
      `page.runGolden(${JSON.stringify(loss)}, ${JSON.stringify(cases)})`,
    );
    cases.forEach((c, i) => {
      const { value, gradients } = outcomes[i]!;
      const at = `${loss}, case ${c.id}`;
      compare(`${at}: value`, [value], [c.value], TOLERANCE);
      for (const [name, gradient] of Object.entries(gradients)) {
        compare(`${at}: gradient by ${name}`, gradient, c.grads[name]!.data, TOLERANCE);
      }
    });
    count += cases.length;
  }
  return count;
}

/** Every loss of the page with its defaults: the CPU against differences, WebGPU against the CPU. */
export async function checkLosses(tab: Tab): Promise<number> {
  const outcomes = await tab.evaluate<LossOutcome[]>("page.runLosses()");
  for (const { name, cpu, gpu, gradientError, checked, failure } of outcomes) {
    assertEquals(failure, undefined, name);
    assert(checked > 0, `${name}: nothing was checked`);
    assert(Math.abs(gpu - cpu) <= 1e-5 * Math.max(1, Math.abs(cpu)), `${name}: ${gpu}, not ${cpu}`);
    assert(gradientError <= GRADIENT_TOLERANCE, `${name}: the gradient is off by ${gradientError}`);
  }
  return outcomes.length;
}
