import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { splitRows } from "../../src/data/delimited.ts";
import { parseTable } from "../../src/data/read_table.ts";

for (
  const [name, mark] of [["tabs", "\t"], ["commas", ","], ["semicolons", ";"], ["blanks", " "]]
) {
  Deno.test(`parseTable() sees for itself that fields lie between ${name}`, () => {
    const table = parseTable(`a${mark}b\n1${mark}2\n`);
    assertEquals([table.columns, table.matrix().toArray()], [["a", "b"], [[1, 2]]]);
  });
}

Deno.test("parseTable() sees the separator of what pandas and R write, of any number of columns", () => {
  const name = fc.constantFrom("a", "b", "n genes", "x.y");
  fc.assert(
    fc.property(
      fc.constantFrom("\t", ",", ";", " "),
      fc.constantFrom("\n", "\r\n"),
      fc.constantFrom("pandas", "R"),
      fc.boolean(),
      fc.array(name, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 3 }),
      (mark, end, writer, isQuoted, given, rows) => {
        const quote = isQuoted ? '"' : "";
        const names = given.map((text) => mark === " " ? text.replace(" ", "_") : text);
        // A lone name says nothing of blanks and semicolons, nor names with blanks of the rest.
        const isOpen = names.length === 1 ? /[; ]/.test(mark) : !isQuoted && /\s/.test(mark);
        if (writer === "R" && (isOpen || (!isQuoted && names[0]!.includes(" ")))) return;
        const header = names.map((text) => quote + text + quote);
        const lines = [
          (writer === "R" ? header : ["", ...header]).join(mark),
          ...Array.from({ length: rows }, (_, i) => [`c${i}`, ...names.map(() => i)].join(mark)),
        ];
        const table = parseTable(lines.map((line) => line + end).join(""));
        assertEquals(table.columns, names);
        assertEquals(table.rowNames, Array.from({ length: rows }, (_, i) => `c${i}`));
        names.forEach((_, j) =>
          assertEquals(table.column(j), Float64Array.from({ length: rows }, (_, i) => i))
        );
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("parseTable() takes blanks at the ends of the first row for mere space", () => {
  for (
    const text of ["\ta b\n\t1 2\n", "  a  b\n 1 2\n", "a b \n1 2\n", "a b\n1\t2\n", "a,b\n1\t,2\n"]
  ) {
    assertEquals(parseTable(text).columns, ["a", "b"], JSON.stringify(text));
  }
  for (const text of ["name\nT cell\n", "name \nT cell\n"]) {
    assertEquals(parseTable(text).column(0), ["T cell"]);
  }
});

Deno.test("parseTable() does not take commas within quotes for separators", () => {
  const table = parseTable('"a, b"\tc\n1\t2\n');
  assertEquals(table.columns, ["a, b", "c"]);
});

Deno.test("parseTable() takes any character as delimiter", () => {
  assertEquals(parseTable("a|b\n1|2\n", { delimiter: "|" }).matrix().toArray(), [[1, 2]]);
});

Deno.test("parseTable() takes runs of blanks and tabs for one separator", () => {
  const table = parseTable("  a   b\n\t1 \t 2  \n", { delimiter: " " });
  assertEquals([table.columns, table.matrix().toArray()], [["a", "b"], [[1, 2]]]);
});

Deno.test("splitRows() gives back any fields that are quoted as RFC 4180 has it", () => {
  const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", " ", "é", "#", "1") });
  fc.assert(
    fc.property(
      fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
      (rows) => {
        const quoted = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`));
        const text = quoted.map((row) => row.join(",")).join("\n");
        const found = splitRows("the table", text, ",", "");
        assertEquals(found.rows.map((row) => row.fields), rows);
        const ends = rows.map((row) => row.join("").split("\n").length);
        const lines = ends.map((_, i) => 1 + ends.slice(0, i).reduce((a, b) => a + b, 0));
        assertEquals(found.rows.map((row) => row.line), lines);
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("parseTable() refuses delimiters that cannot delimit", () => {
  for (const delimiter of ["", ",,", '"', "\n"]) {
    const error = assertThrows(() => parseTable("a\n1\n", { delimiter }), TypeError);
    assertEquals(
      error.message,
      "Cannot read the table as delimiter must be one character, and neither a quote nor a line " +
        `end: current value is ${JSON.stringify(delimiter)}`,
    );
  }
});
