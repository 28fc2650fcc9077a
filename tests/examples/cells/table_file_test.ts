import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { log1p } from "@cellgrad/cellgrad";
import { normalizeTotal } from "@cellgrad/cellgrad/data";
import fc from "fast-check";
import { UsageError } from "../../../examples/lib/arguments.ts";
import { readCells } from "../../../examples/lib/cells.ts";
import type { Reading } from "../../../examples/lib/cells/options.ts";
import { inTempDirectory } from "../../data/write.ts";

type Options = Omit<Reading, "labels">;

/** The cells of a table. */
async function read(lines: readonly string[], options: Options = {}, labels = "cell_type") {
  let found: Awaited<ReturnType<typeof readCells>>;
  await inTempDirectory(async (folder) => {
    const path = `${folder}/cells.csv`;
    await Deno.writeTextFile(path, lines.join("\n") + "\n");
    found = await readCells(path, labels, options);
  });
  return found!;
}

/** What is said of a table that cannot be used: one line. */
async function refusal(lines: readonly string[], options?: Options, labels?: string) {
  const { message } = await assertRejects(() => read(lines, options, labels), UsageError);
  assert(!message.includes("\n"), message);
  return message;
}

const TYPES = ["B", "T", "NK"];

/** Counts of so many cells and genes, all different from 0, and lines of a table that holds them. */
function cleanTable(cells: number, genes: number) {
  const counts = Array.from(
    { length: cells },
    (_, i) => Array.from({ length: genes }, (_, j) => 1 + (7 * i + 3 * j + i * j) % 11),
  );
  const header = ["cell", ...counts[0]!.map((_, j) => `g${j}`), "cell_type"];
  const rows = counts.map((row, i) => [`c${i}`, ...row.map(String), TYPES[i % 3]!]);
  return { counts, header, rows };
}

const linesOf = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [header, ...rows].map((fields) => fields.join(","));

const sizes = fc.record({
  cells: fc.integer({ min: 8, max: 20 }),
  genes: fc.integer({ min: 2, max: 6 }),
  cell: fc.nat(),
  gene: fc.nat(),
});

const MISSING = ["", " ", "NA", "na", "None", "-", "#N/A", "nan", "NaN", "<NA>", "null", "?", "."];
const TEXT = ["abc", "0x10", "1e", "#VALUE!", "1 2", "1_000", "true", "µ", '"1,5"'];
const INFINITE = ["inf", "-Infinity", "1e999", "-1e39"];

Deno.test("readCells() refuses a defect in any cell of any table, naming cell and gene", () =>
  fc.assert(
    fc.asyncProperty(
      sizes,
      fc.constantFrom(...MISSING, ...TEXT, ...INFINITE),
      async (at, field) => {
        const { header, rows } = cleanTable(at.cells, at.genes);
        const [cell, gene] = [at.cell % at.cells, at.gene % at.genes];
        rows[cell]![gene + 1] = field;
        const message = await refusal(linesOf(header, rows));
        const place = `Cannot use cells.csv as gene g${gene} of cell c${cell} (row ${
          cell + 1
        }) is `;
        assertStringIncludes(message, place);
        assertStringIncludes(message, `--ignore g${gene}`);
        if (at.genes === 2) return;
        const { expression } = await read(linesOf(header, rows), { ignore: `g${gene}` });
        assertEquals(expression.shape, [at.cells, at.genes - 1]);
      },
    ),
    { seed: 1, numRuns: 150 },
  ));

Deno.test("readCells() leaves cells without a label out of any table, with a count", () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({ cells: fc.integer({ min: 20, max: 30 }), genes: fc.integer({ min: 2, max: 4 }) }),
      fc.array(fc.tuple(fc.nat(19), fc.constantFrom(...MISSING, "-1")), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.boolean(),
      async ({ cells, genes }, defects, numbers) => {
        const { counts, header, rows } = cleanTable(cells, genes);
        if (numbers) rows.forEach((row, i) => row[genes + 1] = String(10 * (i % 3)));
        for (const [cell, field] of defects) rows[cell]![genes + 1] = field;
        const missing = new Set(defects.map(([cell]) => cell));
        const kept = [...rows.keys()].filter((cell) => !missing.has(cell));
        const found = await read(linesOf(header, rows));
        const expected = log1p(normalizeTotal(kept.map((cell) => counts[cell]!)));
        assertEquals(found.expression.data, expected.data);
        const names = kept.map((cell) => rows[cell]![genes + 1]!);
        assertEquals(Array.from(found.labels, (label) => found.classes[label]!), names);
        const where =
          `cell_type is missing in ${missing.size} of ${cells} cells, the first of them ` +
          `cell c${Math.min(...missing)} (row ${Math.min(...missing) + 1})`;
        assert(found.notes.some((note) => note.startsWith(where)), found.notes.join("\n"));
        const message = await refusal(linesOf(header, rows), { unlabelled: "error" });
        assertStringIncludes(message, "Column cell_type must name every cell: it is missing in ");
      },
    ),
    { seed: 1, numRuns: 60 },
  ));

Deno.test("readCells() names the line of a row of another length, in any table", () =>
  fc.assert(
    fc.asyncProperty(sizes, fc.boolean(), async (at, longer) => {
      const { header, rows } = cleanTable(at.cells, at.genes);
      const cell = at.cell % at.cells;
      if (longer) rows[cell]!.push("1");
      else rows[cell]!.pop();
      // A first row that is longer seems to be that of a writer who leaves the first name out.
      const lines = longer && cell === 0 ? /line \d+ must have/ : `line ${cell + 2} must have`;
      const message = await refusal(linesOf(header, rows));
      assert(typeof lines === "string" ? message.includes(lines) : lines.test(message), message);
    }),
    { seed: 1, numRuns: 60 },
  ));

Deno.test("readCells() takes the numbers of any clean table as they are", () =>
  fc.assert(
    fc.asyncProperty(sizes, fc.constantFrom(" ", "\t", "+"), async ({ cells, genes }, before) => {
      const { counts, header, rows } = cleanTable(cells, genes);
      const padded = rows.map((row) =>
        row.map((field) => /^\d/.test(field) ? before + field : field)
      );
      const found = await read(linesOf(header, padded));
      assertEquals(found.expression.data, log1p(normalizeTotal(counts)).data);
      assertEquals(found.notes, [
        "columns of text are left out: cell",
        `${cells} cells and ${genes} genes are taken from cells.csv`,
        "whole numbers are counts: normalised to a total of 10,000 per cell, logarithm taken (log1p)",
      ]);
    }),
    { seed: 1, numRuns: 60 },
  ));

const NO_GENES: readonly (readonly [string, (cell: number) => number, string])[] = [
  ["cell_id", (i) => i, "counts the cells"],
  ["anything", (i) => i + 1, "counts the cells"],
  ["cluster_id", (i) => i % 3, "a copy of cell_type"],
  ["code", (i) => 1 + (i % 3 + 1) % 3, "a copy of cell_type"],
  ["term", (i) => [236, 84, 623][i % 3]!, "a copy of cell_type"],
  ...[
    "n_counts",
    "nCount_RNA",
    "total_counts_mt",
    "pct_counts_mt",
    "percent.mt",
    "UMAP_1",
    "umap2",
    "umap_x",
    "tSNE_2",
    "PC_1",
    "PC12",
    "X_pca_3",
    "leiden",
    "batch",
    "Donor ID",
    "n_genes_by_counts",
    "log1p_total_counts",
    "S.Score",
  ].map((name) => [name, (i: number) => (i * i) % 7, "no gene by its name"] as const),
];

for (const [name, value, reason] of NO_GENES) {
  Deno.test(`readCells() takes ${name} for no gene, and says so`, async () => {
    const { counts, header, rows } = cleanTable(12, 3);
    const lines = linesOf([...header, name], rows.map((row, i) => [...row, String(value(i))]));
    const { expression, notes } = await read(lines);
    assertEquals(expression.data, log1p(normalizeTotal(counts)).data);
    assertStringIncludes(notes.join("\n"), `are left out: ${name} (${reason}); --genes takes`);
    const taken = await read(lines, { genes: `g0,${name}` });
    assertEquals(taken.expression.shape, [12, 2]);
  });
}

Deno.test("readCells() takes genes whose names resemble others for genes", async () => {
  const names = ["PCA3", "ID1", "UMAD1", "CLUSTER1", "PC", "y", "z", "COL1A1", "IDX", "S100A1"];
  const { expression } = await read(linesOf(
    [...names, "cell_type"],
    cleanTable(12, names.length).rows.map((row) => row.slice(1)),
  ));
  assertEquals(expression.shape, [12, names.length]);
});

Deno.test("readCells() reads names of columns that are numbers, and that occur twice", async () => {
  const { counts, rows } = cleanTable(12, 3);
  for (const header of ["cell,7157,672,3845,cell_type", "cell,g,g,h,cell_type"]) {
    for (const options of [{}, { header: true }]) {
      const { expression } = await read([header, ...rows.map((row) => row.join(","))], options);
      assertEquals(expression.data, log1p(normalizeTotal(counts)).data);
    }
  }
  const twice = await read(["cell,g,g,h,cell_type", ...rows.map((row) => row.join(","))]);
  assert(twice.notes.includes("some genes have the same name: each column is a gene of its own"));
});

Deno.test("readCells() says that genes are in rows, and lists a few columns only", async () => {
  const cells = Array.from({ length: 700 }, (_, i) => `AAACCTG${"ACGT"[i % 4]}${i}`);
  const genes = ["CD19", "CD3E", "ACTB"].map((gene) => [gene, ...cells.map((_, i) => `${i % 5}`)]);
  const types = ["cell_type", ...cells.map((_, i) => TYPES[i % 3]!)];
  for (
    const lines of [
      linesOf(["gene", ...cells], genes),
      linesOf(["", ...cells], genes),
      linesOf(cells, genes),
      linesOf(["gene", ...cells], [...genes, types]),
    ]
  ) {
    const message = await refusal(lines);
    assertStringIncludes(message, "genes in rows and cells in columns");
    assertStringIncludes(message, " in all): current value is cell_type");
    assert(message.length < 600, message);
  }
});

Deno.test("readCells() needs two genes, and one that differs", async () => {
  const rows = (field: (cell: number) => string) =>
    Array.from({ length: 12 }, (_, i) => `${field(i)},${TYPES[i % 3]}`);
  assertEquals(
    await refusal(["g0,cell_type", ...rows((i) => `${i % 5}`)]),
    "Cannot use cells.csv as it must hold at least two genes: it holds one, g0",
  );
  assertEquals(
    await refusal(["g0,cell_type", ...rows((i) => `n${i}`)]),
    "Cannot use cells.csv as it must hold at least two genes: it holds none",
  );
  assertEquals(
    await refusal(["g0,g1,cell_type", ...rows(() => "3,3")]),
    "Cannot use cells.csv as no gene differs between two cells",
  );
});

Deno.test("readCells() names genes and columns that are not there", async () => {
  const { header, rows } = cleanTable(12, 3);
  const lines = linesOf(header, rows);
  const columns = "cell, g0, g1, g2, cell_type";
  for (
    const [options, labels, message] of [
      [
        { genes: "g0,CD19" },
        undefined,
        `Option --genes must name columns of cells.csv: there is no CD19 among ${columns}`,
      ],
      [
        { ignore: "n_counts" },
        undefined,
        `Option --ignore must name columns of cells.csv: there is no n_counts among ${columns}`,
      ],
      [
        { batch: "donor" },
        undefined,
        `Option --batch must name the column of the batches, one of ${columns}: ` +
        `current value is donor`,
      ],
      [
        {},
        "type",
        `Option --labels must name the column of the cell types, one of ${columns}: ` +
        `current value is type`,
      ],
      [
        { genes: "g0,cell" },
        undefined,
        `Cannot use cells.csv as gene cell of cell c0 (row 1) is "c0", which is no number, as 11 ` +
        `more are: mend it, or leave the column out with --ignore cell`,
      ],
    ] as const
  ) assertEquals(await refusal(lines, options, labels), message);
});

Deno.test("readCells() asks for the mark of decimals, and reads commas where it is told", async () => {
  const rows = Array.from(
    { length: 12 },
    (_, i) => `c${i};${i % 4},5;${i * i % 5},25;${TYPES[i % 3]}`,
  );
  const lines = ["cell;a;b;cell_type", ...rows];
  assertEquals(
    await refusal(lines),
    'Cannot use cells.csv as column a holds "0,5": where commas stand in front of decimals, give ' +
      "--decimal=, (and --ignore a where they do not)",
  );
  const { expression } = await read(lines, { decimal: "," });
  assertEquals((expression.toArray() as number[][])[1], [1.5, 1.25]);
});

Deno.test("readCells() does not choose among very many genes of scaled expression", async () => {
  const genes = Array.from({ length: 2001 }, (_, j) => `g${j}`);
  const rows = Array.from(
    { length: 8 },
    (_, i) => [...genes.map((_, j) => (i * j) % 7 - 3), TYPES[i % 2]].join(","),
  );
  const lines = [[...genes, "cell_type"].join(","), ...rows];
  assertStringIncludes(await refusal(lines), "give counts, or choose with --genes");
  assertEquals((await read(lines, { genes: "g1,g2" })).expression.shape, [8, 2]);
});

Deno.test("readCells() counts the cells that have no counts", async () => {
  const { header, rows } = cleanTable(12, 3);
  const empty = rows.map((row, i) => i % 5 === 0 ? [row[0]!, "0", "0", "0", row[4]!] : row);
  const { notes } = await read(linesOf(header, empty));
  assertStringIncludes(notes.at(-1)!, "; cells without any counts: 3");
});

Deno.test("readCells() reads batches of a table, in the order of their numbers", async () => {
  const { header, rows } = cleanTable(24, 3);
  const lines = linesOf([...header, "donor"], rows.map((row, i) => [...row, `${8 + i % 4}`]));
  const { batches, batchNames } = await read(lines, { batch: "donor" });
  assertEquals(batchNames, ["8", "9", "10", "11"]);
  assertEquals([...batches!.subarray(0, 5)], [0, 1, 2, 3, 0]);
});

Deno.test("readCells() says what scale the numbers seem to have", async () => {
  const noteFor = async (field: (i: number, j: number) => number) => {
    const rows = Array.from(
      { length: 12 },
      (_, i) => `${field(i, 0)},${field(i, 1)},${TYPES[i % 3]}`,
    );
    return (await read(["g0,g1,cell_type", ...rows])).notes.at(-1)!;
  };
  assertStringIncludes(
    await noteFor((i, j) => (i * i + j) % 7),
    "whole numbers are counts: normalised",
  );
  assertStringIncludes(
    await noteFor((i, j) => i / 3 + j),
    "on a logarithmic scale, used as they are",
  );
  assertStringIncludes(await noteFor((i, j) => i - j - 1), "taken for scaled expression");
  assertStringIncludes(await noteFor((i, j) => 100.5 * i + j), "no logarithm seems to be taken");
});
