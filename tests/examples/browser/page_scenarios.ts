/**
 * What a reader does on the page.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Tab } from "./chromium.ts";

/** Chooses an entry of a list, or types into a field, as a reader does. */
export async function enter(tab: Tab, id: string, value: string): Promise<void> {
  await tab.evaluate(`(() => {
    const field = document.getElementById(${JSON.stringify(id)});
    field.value = ${JSON.stringify(value)};
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  })()`);
}

const click = (tab: Tab, id: string) => tab.evaluate(`document.getElementById("${id}").click()`);

/** The text of an element as it is seen. */
export function textOf(tab: Tab, id: string): Promise<string> {
  return tab.evaluate(`document.getElementById("${id}").innerText`);
}

const READY = `document.body.dataset.state === "ready"`;
const TRAINED = `${READY} && document.getElementById("training").dataset.state === "done"`;

/** Waits until value and gradient are there. */
export async function untilReady(tab: Tab): Promise<void> {
  await tab.until(READY);
}

/** Waits until training is over. */
export async function untilTrained(tab: Tab): Promise<void> {
  await tab.until(TRAINED);
}

/** The page is too narrow for nothing that it shows. */
export async function assertFits(tab: Tab, what: string): Promise<void> {
  const [wide, window] = await tab.evaluate<[number, number]>(
    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
  );
  assertEquals(wide, window, `${what} is wider than the window`);
}

/** At first: the first loss, checked and trained on both devices, which agree. */
export async function seeFirstLoss(tab: Tab): Promise<void> {
  await untilTrained(tab);
  assertStringIncludes(await textOf(tab, "device"), "swiftshader");
  assertStringIncludes(await textOf(tab, "check-verdict"), "72 derivatives agree");
  assertStringIncludes(await textOf(tab, "device-verdict"), "WebGPU's gradient agrees");
  assertEquals(await textOf(tab, "check-gpu"), await textOf(tab, "check-cpu"));
  assertEquals(await textOf(tab, "train-steps"), "200");
  const apart = await tab.evaluate<string>(
    `document.getElementById("train-verdict").dataset.apart`,
  );
  assert(Number(apart) < 1e-3, `the losses are ${apart} apart`);
  for (const id of ["time-cpu", "time-gpu"]) {
    assert(parseFloat(await textOf(tab, id)) > 0, `${id} shows no time`);
  }
  const points = await tab.evaluate<number[]>(
    `[...document.querySelectorAll(".curve")].map((line) => line.points.length)`,
  );
  assertEquals(points, [200, 200]);
}

/** Parameters: the value follows; what cannot be used is explained, and changes nothing. */
export async function editParameters(tab: Tab): Promise<void> {
  await enter(tab, "loss", "focalLoss");
  await untilReady(tab);
  const before = await textOf(tab, "check-cpu");
  await enter(tab, "parameters-gamma", "0");
  await untilReady(tab);
  const plain = await textOf(tab, "check-cpu");
  assert(Number(plain) > Number(before), `γ = 0 gives ${plain}, γ = 2 gives ${before}`);
  assertEquals(await textOf(tab, "check-gpu"), plain);
  await enter(tab, "parameters-gamma", "-1");
  assertEquals(
    await textOf(tab, "parameters-gamma-error"),
    "Cannot use gamma as it must be 0 or more: current value is -1",
  );
  await untilReady(tab);
  assertEquals(await textOf(tab, "check-cpu"), plain);
  await click(tab, "defaults");
  await untilReady(tab);
  assertEquals(await textOf(tab, "check-cpu"), before);
}

/** Training starts over with other settings, pauses, and goes on. */
export async function pauseTraining(tab: Tab): Promise<void> {
  const state = (is: string) => `document.getElementById("training").dataset.state === "${is}"`;
  await enter(tab, "settings-learningRate", "0.001");
  await untilReady(tab);
  await tab.until(state("running"));
  await click(tab, "train");
  await tab.until(state("paused"));
  const steps = await textOf(tab, "train-steps");
  await tab.evaluate("new Promise((done) => setTimeout(done, 300))");
  assertEquals(await textOf(tab, "train-steps"), steps);
  await click(tab, "train");
  await untilTrained(tab);
  assertEquals(await textOf(tab, "train-steps"), "200");
}

/** Every field has a name, and every parameter says what it does. */
export async function readLabels(tab: Tab): Promise<void> {
  const nameless = await tab.evaluate<string[]>(`
    [...document.querySelectorAll("input, select, button")]
      .filter((field) => !field.hidden && !field.labels?.length && !field.innerText?.trim() &&
        !field.getAttribute("aria-labelledby"))
      .map(({ id }) => id)`);
  assertEquals(nameless, []);
}

/** Without WebGPU: the page says so and what to do, and the CPU trains. */
export async function goWithoutWebGpu(tab: Tab): Promise<void> {
  await untilTrained(tab);
  const note = await textOf(tab, "device");
  assertStringIncludes(note, "There is no WebGPU here, so this page shows the CPU only.");
  assertStringIncludes(note, "To see both: use a current Deno, Chrome, Edge, Safari or Firefox");
  assertStringIncludes(await textOf(tab, "check-verdict"), "72 derivatives agree");
  assertEquals(await textOf(tab, "train-gpu"), "–");
  assertEquals(await textOf(tab, "legend"), "CPU");
  assertEquals(await tab.evaluate(`document.querySelectorAll(".curve").length`), 1);
}

/** When the device is lost, the page says so, and goes on with the CPU. */
export async function loseDevice(tab: Tab): Promise<void> {
  await untilReady(tab);
  await tab.evaluate("lentDevice.destroy()");
  for (const id of ["device", "check-result"]) {
    await tab.until(`document.getElementById("${id}").innerText.includes("was lost")`);
  }
  await untilTrained(tab);
  assertEquals(await textOf(tab, "train-gpu"), "–");
  assertStringIncludes(await textOf(tab, "check-verdict"), "derivatives agree");
}
