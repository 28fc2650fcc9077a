import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { sampleCells } from "../../../examples/browser/cells.ts";
import {
  cellsOfTable,
  guessLabels,
  LIMITS,
  readTableFile,
} from "../../../examples/browser/table_cells.ts";

const read = (text: string) => readTableFile(new File([text], "a.csv"));

/** A table of rows made by a function. */
function table(header: string, rows: number, row: (i: number) => string) {
  return read([header, ...Array.from({ length: rows }, (_, i) => row(i))].join("\n"));
}

const numbers = (type: (i: number) => string) =>
  table("x,y,type", 20, (i) => `${i},${i * i},${type(i)}`);

Deno.test("cellsOfTable() takes numbers as genes, and the rest as it is told", async () => {
  const file = await table("x,y,type,batch", 20, (i) => `${i},${i % 3},t${i % 2},${i % 4}`);
  assertEquals(guessLabels(file.table), "type");
  const { cells, notes } = cellsOfTable(file, { labels: "type", batches: "batch" });
  assertEquals(cells.features.shape, [20, 2]);
  assertEquals(cells.classes, ["t0", "t1"]);
  assertEquals([...cells.labels.data.slice(0, 4)], [0, 1, 0, 1]);
  assertEquals(cells.batchNames, ["0", "1", "2", "3"]);
  assertEquals(cells.counts?.toArray(), cells.expression?.toArray());
  assertEquals(notes, []);
});

Deno.test("cellsOfTable() names types by numbers in their order", async () => {
  const file = await numbers((i) => `${i % 12}`);
  assertEquals(guessLabels(file.table), "type");
  const { cells, notes } = cellsOfTable(file, { labels: "type", batches: undefined });
  assertEquals(cells.classes.at(-1), "11");
  assertEquals(cells.batchNames.length, 2);
  assertEquals(notes, ["Without batches, cells belong to two by turns."]);
});

Deno.test("cellsOfTable() knows that negative values are neither expression nor counts", async () => {
  const file = await table("x,type", 20, (i) => `${i - 3},t${i % 2}`);
  const { cells } = cellsOfTable(file, { labels: "type", batches: undefined });
  assertEquals([cells.expression, cells.counts, cells.motion], [undefined, undefined, undefined]);
});

Deno.test("cellsOfTable() takes some of very many rows and columns", async () => {
  const columns = LIMITS.genes + 20;
  const header = Array.from({ length: columns }, (_, j) => `g${j}`).join(",");
  const file = await table(`type,${header}`, LIMITS.cells + 100, (i) => {
    // The first columns vary least, and one not at all.
    return `t${i % 2},${Array.from({ length: columns }, (_, j) => j * (i % 5)).join(",")}`;
  });
  const { cells, notes } = cellsOfTable(file, { labels: "type", batches: undefined });
  assertEquals(cells.features.shape, [LIMITS.cells, LIMITS.genes]);
  assertEquals(notes.slice(0, 2), [
    "Of 2100 rows, 2000 are used, evenly spread.",
    "Of 520 columns of numbers, the 500 that vary most are used.",
  ]);
});

Deno.test("cellsOfTable() leaves out rows whose type or batch is missing, with a count", async () => {
  for (const missing of ["", "NA", "nan", "None", "-1"]) {
    const file = await table(
      "x,type,batch",
      20,
      (i) => `${i},${i === 4 ? missing : `t${i % 2}`},${i === 7 ? missing : i % 3}`,
    );
    const { cells, notes } = cellsOfTable(file, { labels: "type", batches: "batch" });
    assertEquals([cells.classes, cells.features.shape], [["t0", "t1"], [18, 1]]);
    assertEquals(notes, ["Rows left out as their type or batch is missing: 2 of 20."]);
  }
});

Deno.test("cellsOfTable() says which column does not do", async () => {
  const same = await numbers(() => "t");
  const choice = { labels: "type", batches: undefined };
  assertEquals(
    assertThrows(() => cellsOfTable(same, choice), RangeError).message,
    'Cannot use "a.csv" as column type must hold 2 to 50 types: current number is 1',
  );
  const gaps = await numbers((i) => i > 10 ? "NA" : `t${i % 2}`);
  assertEquals(
    assertThrows(() => cellsOfTable(gaps, choice), RangeError).message,
    'Cannot use "a.csv" as column type must name one of the types in at least 12 rows: ' +
      "current number is 11",
  );
  const constant = await table("x,type", 20, (i) => `1,t${i % 2}`);
  assertEquals(
    assertThrows(() => cellsOfTable(constant, choice), TypeError).message,
    'Cannot use "a.csv" as none of its columns of numbers varies',
  );
  const words = await table("x,type", 20, (i) => `w${i},t${i % 2}`);
  assertEquals(
    assertThrows(() => cellsOfTable(words, choice), TypeError).message,
    'Cannot use "a.csv" as it has no column of numbers besides the types',
  );
});

Deno.test("readTableFile() says what is wrong with a file", async () => {
  const single = await assertRejects(() => table("x", 20, (i) => `${i}`), SyntaxError);
  assertEquals(
    single.message,
    'Cannot read "a.csv" as it has a single column: cells need values and a type',
  );
  const twice = await assertRejects(() => table("x,x", 20, (i) => `${i},1`), SyntaxError);
  assertEquals(twice.message, 'Cannot read "a.csv" as two of its columns are called x');
  const large = { name: "a.csv", size: 60e6 } as File;
  const error = await assertRejects(() => readTableFile(large), RangeError);
  assertEquals(
    error.message,
    'Cannot read "a.csv" as it must have at most 50 MB: current size is 60.0 MB',
  );
});

Deno.test("sampleCells() takes some cells and genes of everything", async () => {
  const { cells } = cellsOfTable(await numbers((i) => `t${i % 2}`), {
    labels: "type",
    batches: undefined,
  });
  const few = sampleCells(cells, 12, 1);
  assertEquals(few.features.shape, [12, 1]);
  assertEquals(few.hidden.shape, [12, 1]);
  assertEquals(few.labels.shape, [12]);
  assertEquals(few.noise.shape, [12, 8]);
});
