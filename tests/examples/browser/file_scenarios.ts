/**
 * What a reader does with a table of their own.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Tab } from "./chromium.ts";
import { assertFits, enter, textOf, untilReady, untilTrained } from "./page_scenarios.ts";

/** A table of counts: two columns of words, one of batches, and genes that differ by type. */
export function countTable(rows = 60): string {
  const genes = Array.from({ length: 10 }, (_, g) => `gene ${g}`);
  const lines = Array.from({ length: rows }, (_, i) => {
    const counts = genes.map((_, g) => (i * 7 + g * 5) % 4 + (g % 3 === i % 3 ? 9 : 0));
    return [`cell ${i}`, ["B cell", "T cell", '"NK, cell"'][i % 3], i % 2, ...counts].join(",");
  });
  return [["name", "type", "batch", ...genes].join(","), ...lines].join("\n");
}

/** Chooses a file in the dialog of the field. */
async function choose(tab: Tab, folder: string, name: string, text: string | Uint8Array) {
  const file = `${folder}/${name}`;
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  await Deno.writeFile(file, bytes);
  const { root } = await tab.send("DOM.getDocument") as { root: { nodeId: number } };
  const { nodeId } = await tab.send("DOM.querySelector", {
    nodeId: root.nodeId,
    selector: "#file",
  });
  await tab.evaluate(`document.getElementById("file-message").replaceChildren()`);
  await tab.send("DOM.setFileInputFiles", { nodeId, files: [file] });
  await tab.until(`document.getElementById("file-message").innerText !== ""`);
}

const use = (tab: Tab) => tab.evaluate(`document.getElementById("use").click()`);

/** A file of counts: types and batches are chosen, and all of it trains. */
export async function useFile(tab: Tab, folder: string): Promise<void> {
  await enter(tab, "loss", "negativeBinomialLoss");
  await choose(tab, folder, "counts.csv", countTable());
  assertEquals(await textOf(tab, "file-message"), "counts.csv has 60 rows and 13 columns.");
  assertEquals(await tab.evaluate(`document.getElementById("label-column").value`), "type");
  await enter(tab, "batch-column", "3");
  await use(tab);
  await untilTrained(tab);
  assertEquals(
    await textOf(tab, "source"),
    "counts.csv: 60 cells, 10 columns, 3 types, 2 batches.",
  );
  assertEquals(
    (await textOf(tab, "file-message")).split("\n"),
    ["counts.csv is in use.", "Left out as they hold text: name."],
  );
  assertStringIncludes(await textOf(tab, "check-verdict"), "derivatives agree");
  assertStringIncludes(await textOf(tab, "device-verdict"), "WebGPU's gradient agrees");
  await assertFits(tab, "A page with a file");
}

/** What a loss needs and a file lacks is said, and the next loss works again. */
export async function missVelocity(tab: Tab): Promise<void> {
  await enter(tab, "loss", "velocityConsistencyLoss");
  await untilReady(tab);
  assertEquals(
    await textOf(tab, "missing"),
    "Cannot compute velocityConsistencyLoss as these cells lack the velocity of expression, " +
      "which only simulated cells have",
  );
  assert(await tab.evaluate<boolean>(`document.getElementById("training").hidden`));
  await enter(tab, "loss", "crossEntropyLoss");
  await untilReady(tab);
  assertEquals(await textOf(tab, "missing"), "");
}

/** Files that do not do, and what is said about them. */
const BAD_FILES: readonly [string, string | Uint8Array, string][] = [
  [
    "ragged.csv",
    countTable().replace("\ncell 4,", "\ncell 4,,"),
    'Cannot read "ragged.csv" as line 6 must have 13 fields, as the header has: current number is 14',
  ],
  [
    "headless.csv",
    countTable().split("\n").slice(1).map((line) => line.split(",").slice(-9).join(",")).join("\n"),
    'Cannot read "headless.csv" as its first line must name the columns: ' +
    "current first line holds numbers",
  ],
  [
    "short.csv",
    countTable(3),
    'Cannot read "short.csv" as it must have at least 12 rows, one per cell: current number is 3',
  ],
  [
    "picture.csv",
    new Uint8Array([137, 80, 78, 71, 255, 254]),
    'Cannot read "picture.csv" as it is not text in UTF-8: save it as CSV',
  ],
  ["empty.csv", "", 'Cannot read "empty.csv" as it has no rows'],
];

/** Bad files: each is explained, and the cells in use stay. */
export async function refuseFiles(tab: Tab, folder: string): Promise<void> {
  const source = await textOf(tab, "source");
  for (const [name, text, message] of BAD_FILES) {
    await choose(tab, folder, name, text);
    assertEquals(
      (await textOf(tab, "file-message")).split("\n"),
      [message, "Nothing has changed."],
    );
  }
  await choose(tab, folder, "gaps.csv", countTable().replace(/(\ncell 7,.*),\d+\n/, "$1,\n"));
  await use(tab);
  assertStringIncludes(
    await textOf(tab, "file-message"),
    'Cannot use "gaps.csv" as every number must be there and finite: ' +
      "row 8 of column gene 9 is empty or not a number",
  );
  await enter(tab, "label-column", "name");
  await use(tab);
  assertStringIncludes(await textOf(tab, "file-message"), "column name must hold 2 to");
  assertEquals(await textOf(tab, "source"), source);
  assertEquals(await tab.evaluate(READY_STATE), "ready");
}

const READY_STATE = "document.body.dataset.state";

/** A file that is dropped, then back to simulated cells. */
export async function dropFile(tab: Tab): Promise<void> {
  await tab.evaluate(`(() => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([${JSON.stringify(countTable(40))}], "a_${"long".repeat(20)}.csv"));
    document.getElementById("drop").dispatchEvent(
      new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
  })()`);
  await tab.until(`document.getElementById("use")?.checkVisibility()`);
  await assertFits(tab, "A file with a long name");
  await use(tab);
  await untilReady(tab);
  assertStringIncludes(await textOf(tab, "source"), "40 cells");
  await tab.evaluate(`document.getElementById("simulated").click()`);
  await untilReady(tab);
  assertStringIncludes(await textOf(tab, "source"), "600 simulated cells");
}
