import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { openCells } from "../../src/data/cells.ts";
import { parseTable, readTable, type TableOptions } from "../../src/data/read_table.ts";
import { inTempDirectory } from "./write.ts";

function complaint(text: string, options?: TableOptions): string {
  return assertThrows(() => parseTable(text, options), SyntaxError).message;
}

Deno.test("parseTable() reads columns of numbers and of text", () => {
  const table = parseTable("name,x,y\na,1,-2.5\nb,3e2,.5\n");
  assertEquals([table.columns, table.nRows, table.rowNames], [["name", "x", "y"], 2, undefined]);
  assertEquals(table.column("name"), ["a", "b"]);
  assertEquals(table.column("x"), Float64Array.of(1, 300));
  assertEquals(table.column("y"), Float64Array.of(-2.5, 0.5));
});

Deno.test("parseTable() reads quotes, doubled quotes and line ends within quotes", () => {
  const table = parseTable('a,b\n"x, ""y""","two\nlines"\n"",z\n');
  assertEquals(table.column("a"), ['x, "y"', ""]);
  assertEquals(table.column("b"), ["two\nlines", "z"]);
});

Deno.test("parseTable() reads the line ends of Windows, and a byte order mark", () => {
  const table = parseTable("\ufeffa,b\r\n1,2\r\n3,4");
  assertEquals([table.columns, table.matrix().toArray()], [["a", "b"], [[1, 2], [3, 4]]]);
});

Deno.test("parseTable() leaves empty lines and comments out", () => {
  const table = parseTable("# made by hand\n\na,b\n# more\n1,2\n\n  # last\n3,4\n\n");
  assertEquals([table.columns, table.matrix().toArray()], [["a", "b"], [[1, 2], [3, 4]]]);
});

Deno.test("parseTable() takes no line for a comment where that is wanted", () => {
  const table = parseTable("#a,b\n1,2\n", { comment: "" });
  assertEquals(table.columns, ["#a", "b"]);
});

Deno.test("parseTable() takes the last comment for the header where it has as many fields", () => {
  const table = parseTable("# seed = 0\n# it  g1\n  0  0.5\n  1  1.5\n");
  assertEquals([table.columns, table.matrix().toArray()], [["it", "g1"], [[0, 0.5], [1, 1.5]]]);
});

Deno.test("parseTable() takes no comment for the header that has other fields", () => {
  for (const comment of ["# it's \"odd\n", "# 5 6 7\n", "# one\n"]) {
    const table = parseTable(`${comment}a b c\n1 2 3\n`);
    assertEquals(table.columns, ["a", "b", "c"]);
  }
});

Deno.test("parseTable() names columns by their position where there is no header", () => {
  const table = parseTable("cell0,1,2\ncell1,3,4\n");
  assertEquals(table.columns, ["0", "1", "2"]);
  assertEquals(table.column("0"), ["cell0", "cell1"]);
});

Deno.test("parseTable() sees the numbers that pandas gives the columns and rows of an array", () => {
  const table = parseTable(",0,1\n0,5,6\n1,7,8\n");
  assertEquals([table.columns, table.rowNames], [["0", "1"], ["0", "1"]]);
  assertEquals(table.matrix().toArray(), [[5, 6], [7, 8]]);
  for (const text of [",0,1\n1,5,6\n", ",0,2\n0,5,6\n", "-1,0,1\n0,5,6\n", ",0,1\n"]) {
    assertEquals(parseTable(text).columns, ["0", "1", "2"], text);
  }
});

Deno.test("parseTable() takes the first row for the header, or not, where it is told", () => {
  const years = parseTable("2019,2020\n1,2\n", { header: true });
  assertEquals([years.columns, years.nRows], [["2019", "2020"], 1]);
  const words = parseTable("a,b\nc,d\n", { header: false });
  assertEquals([words.columns, words.column("0")], [["0", "1"], ["a", "c"]]);
});

Deno.test("parseTable() takes a first column without a name for the names of the rows", () => {
  const table = parseTable(',g1,g2\n"c1",1,2\n"c2",3,4\n');
  assertEquals([table.rowNames, table.columns], [["c1", "c2"], ["g1", "g2"]]);
  assertEquals(table.matrix().toArray(), [[1, 2], [3, 4]]);
});

Deno.test("parseTable() takes a header with one field less as R writes it", () => {
  const table = parseTable('"g1" "g2"\n"c1" 1 2\n"c2" 3 4\n');
  assertEquals([table.rowNames, table.columns], [["c1", "c2"], ["g1", "g2"]]);
});

Deno.test("parseTable() takes the column for the names of the rows that it is told", () => {
  const text = "g1,cell,g2\n1,a,2\n3,b,4\n";
  const named = parseTable(text, { rowNames: "cell" });
  assertEquals([named.rowNames, named.columns], [["a", "b"], ["g1", "g2"]]);
  const first = parseTable(text, { rowNames: true });
  assertEquals([first.rowNames, first.columns], [["1", "3"], ["cell", "g2"]]);
  const none = parseTable(",g1\na,1\n", { rowNames: false });
  assertEquals([none.rowNames, none.columns], [undefined, ["", "g1"]]);
});

Deno.test("parseTable() takes missing fields among numbers for NaN", () => {
  const values = parseTable("x,y\n1,a\n,b\nNA,c\nnan,d\n-inf,e\n").column("x");
  assertEquals(values, Float64Array.of(1, NaN, NaN, NaN, -Infinity));
});

Deno.test("parseTable() takes what spreadsheets, pandas and R write for missing numbers", () => {
  for (const field of ["", " ", "NA", "n/a", "#N/A", "#NA", "<NA>", "NaN", "-nan", "null"]) {
    assertEquals(parseTable(`x,y\n1,a\n${field},b\n`).column("x"), Float64Array.of(1, NaN));
  }
  for (const field of ["None", "nil", "-", "--", ".", "?"]) {
    assertEquals(parseTable(`x,y\n1,a\n${field},b\n`).column("x"), Float64Array.of(1, NaN));
  }
});

Deno.test("parseTable() takes those fields for missing that it is told, and empty ones", () => {
  const text = "x,y,z\n1,-1,NA\n-1,2,3\n ,absent,4\n";
  const table = parseTable(text, { missing: ["-1", "absent"] });
  assertEquals(table.column("x"), Float64Array.of(1, NaN, NaN));
  assertEquals(table.column("y"), Float64Array.of(NaN, 2, NaN));
  assertEquals(table.column("z"), ["NA", "3", "4"]);
});

Deno.test("parseTable() reads decimal commas where it is told", () => {
  const table = parseTable("x;y;z\n1,5;2;1.5\n,25;-3,0e1;2\n", { decimal: "," });
  assertEquals(table.column("x"), Float64Array.of(1.5, 0.25));
  assertEquals(table.column("y"), Float64Array.of(2, -30));
  assertEquals(table.column("z"), ["1.5", "2"]);
  assertEquals(parseTable("1,5;2\n", { decimal: "," }).columns, ["0", "1"]);
});

Deno.test("parseTable() gives back any numbers with decimal commas", () =>
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (numbers) => {
      const text = numbers.join("\n").replaceAll(".", ",");
      const column = parseTable(`x\n${text}\n`, { decimal: "," }).column("x") as Float64Array;
      numbers.forEach((value, i) => assertAlmostEquals(column[i]!, value, 0));
    }),
    { seed: 1, numRuns: 200 },
  ));

Deno.test("parseTable() refuses other marks of decimals and of missing numbers", () => {
  for (
    const [options, message] of [
      [{ decimal: "'" }, `decimal must be "." or ",": current value is "'"`],
      [{ missing: "NA" }, `missing must be an array of texts: current value is "NA"`],
      [{ missing: [-1] }, `missing must be an array of texts: current value is [-1]`],
    ] as const
  ) {
    const error = assertThrows(() => parseTable("a\n1\n", options as unknown as TableOptions));
    assertEquals((error as Error).message, `Cannot read the table as ${message}`);
  }
});

Deno.test("parseTable() leaves text that only resembles numbers as it is", () => {
  for (const text of ["0x10", "1,2", "1e", "1 2", "--1", "1_000", "Infinite"]) {
    const table = parseTable(`x;y\n${text};0\n1;0\n`, { delimiter: ";" });
    assertEquals(table.column("x"), [text, "1"]);
  }
});

Deno.test("parseTable() leaves integers that would lose digits as text", () => {
  const column = (field: string) => parseTable(`x,y\n1,1\n${field},1\n`).column("x");
  for (const field of ["9007199254740993", "+9007199254740993", "-12345678901234567891"]) {
    assertEquals(column(field), ["1", field]);
  }
  assertEquals(column("1".repeat(400)), ["1", "1".repeat(400)]);
  const kept = [
    "9007199254740992",
    "+9007199254740994",
    "-0",
    "0".repeat(400),
    "1" + "0".repeat(22),
  ];
  for (const field of [...kept, "9007199254740993.0", String(2 ** 64), String(0.1 * 2 ** 65)]) {
    assertEquals(column(field), Float64Array.of(1, Number(field)));
  }
});

Deno.test("parseTable() leaves a column of nothing but missing fields as text", () => {
  assertEquals(parseTable("x,y\n,1\nNA,2\n").column("x"), ["", "NA"]);
});

Deno.test("parseTable() reads a header without rows", () => {
  const table = parseTable("a,b\n");
  assertEquals([table.nRows, table.matrix().shape], [0, [0, 2]]);
});

Deno.test("parseTable() keeps rows of empty fields between tabs", () => {
  const table = parseTable("a\tb\nx\ty\n\t\n");
  assertEquals([table.nRows, table.column("a")], [2, ["x", ""]]);
});

Deno.test("matrix() takes the columns and the type that it is told", () => {
  const matrix = parseTable("a,b,c\n1,2,x\n3,4,y\n").matrix({
    columns: ["b", "a"],
    dtype: "float64",
  });
  assertEquals([matrix.dtype, matrix.toArray()], ["float64", [[2, 1], [4, 3]]]);
});

Deno.test("matrix() takes columns that share a name, but column() does not", () => {
  const table = parseTable("a,a\n1,2\n");
  assertEquals(table.matrix().toArray(), [[1, 2]]);
  const error = assertThrows(() => table.column("a"), RangeError);
  assertEquals(
    error.message,
    "Cannot read a column of the table as more than one has the name a",
  );
});

Deno.test("column() and matrix() take positions where names occur twice", () => {
  const table = parseTable("a,a,b\n1,2,3\n");
  assertEquals([table.column(0), table.column(1)], [Float64Array.of(1), Float64Array.of(2)]);
  assertEquals(table.matrix({ columns: [2, 1, 0, "b"] }).toArray(), [[3, 2, 1, 3]]);
  for (const position of [-1, 3, 0.5, NaN]) {
    assertEquals(
      assertThrows(() => table.column(position), RangeError).message,
      "Cannot read a column of the table as its position must be a whole number below 3: " +
        `current value is ${position}`,
    );
  }
});

Deno.test("matrix() leaves out what it is told, columns of text among them", () => {
  const table = parseTable("a,b,c,b\n1,x,3,y\n");
  assertEquals(table.matrix({ ignore: ["b"] }).toArray(), [[1, 3]]);
  assertEquals(table.matrix({ columns: ["c", "a"], ignore: ["a"] }).toArray(), [[3]]);
  assertEquals(
    assertThrows(() => table.matrix({ ignore: ["d"] }), RangeError).message,
    "Cannot read a column of the table as name must be one of a, b, c, b: current value is d",
  );
});

Deno.test("column() lists the first names where there are many", () => {
  const names = Array.from({ length: 700 }, (_, i) => `cell${i}`);
  const table = parseTable(`${names.join(",")}\n${names.map(() => 1).join(",")}\n`);
  assertEquals(
    assertThrows(() => table.column("type"), RangeError).message,
    "Cannot read a column of the table as name must be one of " +
      `${names.slice(0, 12).join(", ")}, … (700 in all): current value is type`,
  );
});

Deno.test("matrix() names the columns of text", () => {
  const error = assertThrows(() => parseTable("a,b,c\n1,x,y\n").matrix(), TypeError);
  assertEquals(
    error.message,
    "Cannot make a matrix of the table as its columns must hold numbers: " +
      "current columns of text are b, c",
  );
});

Deno.test("column() names the columns there are", () => {
  const error = assertThrows(() => parseTable("a,b\n1,2\n").column("c"), RangeError);
  assertEquals(
    error.message,
    "Cannot read a column of the table as name must be one of a, b: current value is c",
  );
});

Deno.test("parseTable() names the line of a row with too few or too many fields", () => {
  assertEquals(
    complaint('a,b\n1,"2\n3"\n# note\n4\n'),
    "Cannot read the table as line 5 must have 2 fields, as the header has: current number is 1",
  );
  assertEquals(
    complaint("1,2\n3,4,5\n"),
    "Cannot read the table as line 2 must have 2 fields, as the first row has: " +
      "current number is 3",
  );
  assertEquals(
    complaint("a,b,c\n1,2\n3,4\n"),
    "Cannot read the table as line 2 must have 3 fields, as the header has: current number is 2",
  );
});

Deno.test("parseTable() names the line of a quote that is never closed", () => {
  assertEquals(
    complaint('a,b\n1,2\n"3,4\n5,6\n'),
    "Cannot read the table as a quote of line 3 is never closed",
  );
});

Deno.test("parseTable() names the line of text behind a closing quote", () => {
  assertEquals(
    complaint('a,b\n1,"2"x\n'),
    "Cannot read the table as line 2 has text after the closing quote of field 2",
  );
});

Deno.test("parseTable() refuses text without rows", () => {
  for (const text of ["", "\n\n", "# only\n# comments\n"]) {
    assertEquals(complaint(text), "Cannot read the table as it has no rows");
  }
});

Deno.test("parseTable() names options that it does not know", () => {
  const error = assertThrows(
    () => parseTable("a\n1\n", { separator: "," } as unknown as TableOptions),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot read the table as its options must be among delimiter, comment, header, rowNames, missing, " +
      "decimal, genes, ignore: current option is separator",
  );
});

Deno.test("parseTable() names the columns where the one of row names is not among them", () => {
  const error = assertThrows(() => parseTable("a,b\n1,2\n", { rowNames: "c" }), RangeError);
  assertEquals(
    error.message,
    "Cannot read the table as rowNames must be one of a, b: current value is c",
  );
});

Deno.test("wrong options are refused in the name of who was called", async () => {
  const text = "a,b\n1,2\n";
  const bytes = new TextEncoder().encode(text);
  for (
    const [options, what] of [
      [null, "options must be a plain object: current value is null"],
      [{ header: 5 }, "header must be true or false: current value is 5"],
      [{ rowNames: 5 }, "rowNames must be true or false: current value is 5"],
      [{ comment: 5 }, "comment must be a text: current value is 5"],
      [{ genes: 1 }, "genes must be an array: current value is 1"],
      [{ ignore: [1] }, "ignore[0] must be a text: current value is 1"],
    ] as const
  ) {
    const given = options as unknown as TableOptions;
    const parsed = assertThrows(() => parseTable(text, given), TypeError);
    assertEquals(parsed.message, `Cannot compute parseTable as ${what}`);
    const read = await assertRejects(() => readTable(bytes, given), TypeError);
    assertEquals(read.message, `Cannot compute readTable as ${what}`);
    if (options === null) continue;
    const opened = await assertRejects(() => openCells(bytes, { table: given }), TypeError);
    assertEquals(opened.message, `Cannot compute openCells as ${what}`);
  }
});

Deno.test("readTable() reads a file", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/x.tsv`;
    await Deno.writeTextFile(path, "α\tb\n1\t2\n");
    const table = await readTable(path);
    assertEquals([table.columns, table.matrix().toArray()], [["α", "b"], [[1, 2]]]);
  }));

Deno.test("readTable() names the file that it cannot read", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/x.csv`;
    await Deno.writeTextFile(path, "a,b\n1\n");
    const malformed = await assertRejects(() => readTable(path), SyntaxError);
    assertEquals(
      malformed.message,
      `Cannot read "${path}" as line 2 must have 2 fields, as the header has: current number is 1`,
    );
    await Deno.writeFile(path, Uint8Array.of(0xff, 0xfe, 0x61, 0));
    const binary = await assertRejects(() => readTable(path), SyntaxError);
    assertEquals(binary.message, `Cannot read "${path}" as it is not text in UTF-8`);
    for (
      const [start, reason] of [
        [[0x28, 0xb5, 0x2f, 0xfd], "it is compressed by zstd: decompress it first"],
        [[0x42, 0x5a, 0x68], "it is compressed by bzip2: decompress it first"],
        [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "it is compressed by xz: decompress it first"],
        [
          [0x50, 0x4b, 3, 4],
          "it is a zip archive, as spreadsheets (.xlsx) are: save it as CSV",
        ],
        [
          [0x89, 0x48, 0x44, 0x46],
          "it is an HDF5 file: openAnnData reads it where it is AnnData",
        ],
        [
          new TextEncoder().encode("%%MatrixMarket matrix"),
          "it is in the Matrix Market format (.mtx): openCells reads the folder that it lies in",
        ],
      ] as const
    ) {
      await Deno.writeFile(path, Uint8Array.from(start));
      const { message } = await assertRejects(() => readTable(path), SyntaxError);
      assertEquals(message, `Cannot read "${path}" as ${reason}`);
    }
    const missing = await assertRejects(() => readTable(`${path}.gz`), Error);
    assertEquals(missing.message, `Cannot read "${path}.gz" as it does not exist`);
  }));

Deno.test("parseTable() gives back any numbers that JavaScript writes", () =>
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (numbers) => {
      const column = parseTable(`x\n${numbers.join("\n")}\n`).column("x") as Float64Array;
      numbers.forEach((value, i) => assertAlmostEquals(column[i]!, value, 0));
    }),
    { seed: 1, numRuns: 200 },
  ));
