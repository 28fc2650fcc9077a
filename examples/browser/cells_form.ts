/** Where a reader drops a table of cells, and says which column is what. */
/// <reference lib="dom" />
import type { Cells } from "./cells.ts";
import { byId, element } from "./dom.ts";
import { cellsOfTable, guessLabels, readTableFile, type TableFile } from "./table_cells.ts";

/** Makes the page take files. A file that does not do changes nothing but the message. */
export function acceptFiles(onCells: (cells: Cells) => void): void {
  const input = byId("file") as HTMLInputElement;
  const drop = byId("drop");
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    // So that the same file, mended, can be chosen again.
    if (file !== undefined) void open(file, onCells).finally(() => input.value = "");
  });
  // A file that misses the frame must not replace the page.
  for (const type of ["dragover", "drop"]) {
    document.addEventListener(type, (event) => event.preventDefault());
  }
  drop.addEventListener("dragover", () => drop.classList.add("over"));
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) void open(file, onCells);
    else say(["Cannot read what was dropped as it is no file"], true);
  });
}

async function open(file: File, onCells: (cells: Cells) => void): Promise<void> {
  try {
    ask(await readTableFile(file), onCells);
  } catch (error) {
    say([(error as Error).message, "Nothing has changed."], true);
  }
}

/** Asks for the columns of types and batches. */
function ask(file: TableFile, onCells: (cells: Cells) => void): void {
  const { columns, nRows } = file.table;
  const form = byId("file-form");
  const guess = guessLabels(file.table);
  const labels = element(
    "select",
    { id: "label-column" },
    ...columns.map((name) => element("option", { value: name, selected: name === guess }, name)),
  );
  const batches = element(
    "select",
    { id: "batch-column" },
    element("option", { value: "" }, "none"),
    // A name may be anything, so what is chosen is its position.
    ...columns.map((name, i) => element("option", { value: `${i + 1}` }, name)),
  );
  const use = element("button", { type: "submit", class: "main", id: "use" }, "Use these cells");
  form.replaceChildren(wrap("Types are in", labels), wrap("Batches are in", batches), use);
  form.hidden = false;
  form.onsubmit = (event) => {
    event.preventDefault();
    const batch = batches.selectedIndex === 0 ? undefined : columns[batches.selectedIndex - 1];
    const choice = { labels: columns[labels.selectedIndex]!, batches: batch };
    try {
      const { cells, notes } = cellsOfTable(file, choice);
      form.hidden = true;
      say([`${file.name} is in use.`, ...notes], false);
      onCells(cells);
    } catch (error) {
      say([(error as Error).message, "Choose other columns, or another file."], true);
    }
  };
  say([`${file.name} has ${nRows} rows and ${columns.length} columns.`], false);
}

function wrap(text: string, control: HTMLElement): HTMLElement {
  return element("div", { class: "field" }, element("label", { for: control.id }, text), control);
}

/** Says something about files. */
function say(lines: readonly string[], isWrong: boolean): void {
  byId("file-message").replaceChildren(
    element(
      "div",
      { class: isWrong ? "note" : "note fine" },
      ...lines.map((line) => element("div", {}, line)),
    ),
  );
}

/** Forgets the file, and what was said about it. */
export function forgetFile(): void {
  byId("file-message").replaceChildren();
  byId("file-form").hidden = true;
}
