import { openCells, type OpenCellsOptions, readNpz, readTable } from "@cellgrad/cellgrad/data";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeSync, openSync } from "node:fs";
import { cells, leaf, mapping } from "./tree.ts";
import { variants } from "./variants.ts";
import { h5Bytes, inTempDirectory } from "./write.ts";

const text = (content: string) => new TextEncoder().encode(content);

Deno.test("openCells() says what it found where there are no cells", async () => {
  const empty = (members: Parameters<typeof mapping>[0]) =>
    h5Bytes({ kind: "branch", attributes: {}, members });
  const refused = [
    [
      await empty({ a: leaf(Int32Array.of(1)) }),
      "it is HDF5, and neither AnnData, MuData, loom nor 10x: it has a",
    ],
    [
      text("%%MatrixMarket matrix coordinate integer general\n1 1 0\n"),
      "it is in the Matrix Market format (.mtx): openCells reads the folder that it lies in",
    ],
    [text(""), "it has no rows"],
    [
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd),
      "it is compressed by zstd: decompress it first",
    ],
  ] as const;
  for (const [bytes, why] of refused) {
    const { message } = await assertRejects(() => openCells(bytes.slice()), SyntaxError);
    assertEquals(message.replace('"the bytes"', "the bytes"), `Cannot read the bytes as ${why}`);
  }
});

Deno.test("openCells() asks for a modality where MuData has several, and takes the only one", async () => {
  const tree = (...names: string[]) => ({
    kind: "branch" as const,
    attributes: {},
    members: { mod: mapping(Object.fromEntries(names.map((name) => [name, cells()]))) },
  });
  const two = await h5Bytes(tree("rna", "atac"));
  const { message } = await assertRejects(() => openCells(two.slice()), RangeError);
  assertEquals(
    message,
    'Cannot read "the bytes" as it is MuData and the option modality must be one of atac, rna: ' +
      "current value is undefined",
  );
  await using one = await openCells((await h5Bytes(tree("rna"))).slice());
  assertEquals([one.format, one.nObs], ["MuData in HDF5, modality rna", 5]);
  await using chosen = await openCells(two.slice(), { modality: "atac" });
  assertEquals(chosen.format, "MuData in HDF5, modality atac");
});

Deno.test("openCells() refuses options that belong to another format", async () => {
  const given = await assertRejects(
    async () => await openCells((await h5Bytes(cells())).slice(), { modality: "rna" }),
    TypeError,
  );
  assertEquals(
    given.message,
    'Cannot read "the bytes" as the option modality belongs to MuData, and it is AnnData',
  );
});

Deno.test("openCells() reads 10x folders, or says which file does not fit", () =>
  inTempDirectory(async (folder) => {
    const write = (name: string, content: string) =>
      Deno.writeTextFile(`${folder}/${name}`, content);
    const complaint = async () => {
      const { message } = await assertRejects(() => openCells(folder), SyntaxError);
      return message.replaceAll(folder, "FOLDER");
    };
    const header = "%%MatrixMarket matrix coordinate integer general\n%\n";
    await write("matrix.mtx", `${header}3 2 3\n1 1 5\n3 1 1\n3 2 2\n`);
    assertEquals(
      await complaint(),
      'Cannot read "FOLDER" as it is a 10x folder and must have barcodes.tsv',
    );
    await write("barcodes.tsv", "AA\nCC\n");
    await write("genes.tsv", "E1\tCD3E\nE2\tCD19\n");
    assertEquals(
      await complaint(),
      'Cannot read "FOLDER/genes.tsv" as it must have a line for each of the 3 genes of the ' +
        "matrix: it has 2",
    );
    await write("genes.tsv", "E1\tCD3E\nE2\tCD19\nE3\tMS4A1\n");
    await using file = await openCells(folder);
    assertEquals(file.format, "10x Matrix Market folder (version 2)");
    assertEquals((await file.X.read()).toArray(), [[5, 0, 1], [0, 0, 2]]);
    assertEquals(await file.varNames(), ["CD3E", "CD19", "MS4A1"]);
    assertEquals((await file.var("gene_ids")).kind, "string");
    const broken = [
      ["4 1 5", 'line 4 must have a row from 1 to 3: current value is "4"'],
      ["1 x 5", 'line 4 must have a column from 1 to 2: current value is "x"'],
      ["1 1 five", 'line 4 must end in a number: current value is "five"'],
      ["1 1 0x10", 'line 4 must end in a number: current value is "0x10"'],
      [
        "1 1 9007199254740993",
        "line 4 must end in an integer that double precision holds: current value is " +
        '"9007199254740993"',
      ],
      ["1 1 5 2", 'line 4 must end after an entry: current value there is "2"'],
      ["", "line 4 must be entry 1 of 1: there is none"],
      ["1 1 1\n1 1 1", "line 5 must not be there: there are 1 entries"],
    ];
    for (const [entry, why] of broken) {
      await write("matrix.mtx", `${header}3 2 1\n${entry}`);
      assertEquals(await complaint(), `Cannot read "FOLDER/matrix.mtx" as ${why}`);
    }
  }));

Deno.test("openCells() reads what the lines of a matrix say, or says why not", () =>
  inTempDirectory(async (folder) => {
    const cases = [
      ["real general", "1 1 1", `1 1 ${"1".padEnd(46, "0")}`, 1e45],
      ["integer general", "1 1 1", "1 1 +9007199254740992\t\r", 2 ** 53],
      ["real symmetric", "1 1 1", "1 1 1e2", 100],
      ["real symmetric", "1 2 1", "1 1 1", "line 2 must have as many rows as columns to be symm"],
      ["real general", "1 1 1 1", "1 1 1", "line 2 must end after the numbers of rows, columns"],
    ] as const;
    await Deno.writeTextFile(`${folder}/genes.tsv`, "E1\tCD3E\n");
    await Deno.writeTextFile(`${folder}/barcodes.tsv`, "AA\n");
    for (const [kind, sizes, entry, expected] of cases) {
      const text = `%%MatrixMarket matrix coordinate ${kind}\n${sizes}\n${entry}\n`;
      await Deno.writeTextFile(`${folder}/matrix.mtx`, text);
      const read = async () => (await (await openCells(folder)).X.read()).data[0];
      if (typeof expected === "number") assertEquals(await read(), expected);
      else await assertRejects(read, SyntaxError, `/matrix.mtx" as ${expected}`);
    }
  }));

Deno.test("openCells() keeps columns of text in order, and asks for positions where names repeat", async () => {
  await using file = await openCells(text("z,1x,5x,t,t,g\na,b,c,d,e,1\na,b,c,f,g,2\n"));
  await using numbered = await openCells(text("z,1,g\na,b,1\n"), { table: { header: true } });
  assertEquals([file.keys.obs, numbered.keys.obs], [["z", "1x", "5x", "t", "t"], ["z", "1"]]);
  assertEquals(await numbered.obs("1"), { kind: "string", values: ["b"] });
  assertEquals((await file.X.read()).toArray(), [[1], [2]]);
  const { message } = await assertRejects(() => file.obs("t"), RangeError);
  assertEquals(
    message,
    'Cannot read the obs column of "the bytes" as more than one has the name t: ' +
      "readTable reads them by their positions, 3 and 4",
  );
});

Deno.test("openCells() reads tables as their options say", async () => {
  const source = text("cell;2019;n;T\na;1,5;9;-1\nb;-1;8;7\n");
  const table = {
    rowNames: "cell",
    header: true,
    decimal: ",",
    missing: ["-1"],
    genes: ["T", "2019"],
  } as const;
  await using file = await openCells(source.slice(), { table });
  assertEquals([await file.obsNames(), await file.varNames()], [["a", "b"], ["T", "2019"]]);
  assertEquals((await file.X.read()).toArray(), [[NaN, 1.5], [7, NaN]]);
  assertEquals(await file.obs("n"), { kind: "numeric", values: Float64Array.of(9, 8) });
  await using few = await openCells(source.slice(), { table: { ignore: ["n"], header: true } });
  assertEquals([few.keys.obs, await few.varNames()], [["cell", "2019"], ["T"]]);
  const refusals = [
    [{ table: { genes: ["x"] } }, "as name must be one of"],
    [{ table: { genes: 1 } }, "Cannot compute openCells as genes must be an array: current value"],
    [{ table: null }, "Cannot compute openCells as table must be a plain object: current value"],
    [{ table: { tabel: 1 } }, "as its options must be among delimiter, comment, header"],
    [{ genome: "x" }, "as the option genome belongs to Cell Ranger 2, and it is one matrix"],
  ] as const;
  for (const [options, why] of refusals) {
    await assertRejects(() => openCells(source.slice(), options as OpenCellsOptions), Error, why);
  }
  const other = await h5Bytes(cells());
  const foreign = "as the option table belongs to tables, and it is AnnData";
  await assertRejects(() => openCells(other, { table: {} }), TypeError, foreign);
});

Deno.test("readTable() takes genes, leaves columns out, and knows spreadsheets' lines", async () => {
  const table = await readTable(text("sep=;\r\ncell;CD3E;n;CD19\r\nc1;4;9;0\r\nc2;0;9;7\r\n"), {
    rowNames: "cell",
    genes: ["CD19", "CD3E"],
    ignore: ["n"],
  });
  assertEquals(table.columns, ["CD3E", "CD19"]);
  assertEquals(table.matrix().toArray(), [[0, 4], [7, 0]]);
  const none = await assertRejects(
    () => readTable(text("a,b\n1,2\n"), { ignore: ["c"] }),
    RangeError,
  );
  assertEquals(
    none.message,
    "Cannot read the bytes as ignore must be among a, b: current value is c",
  );
  await assertRejects(() => readTable(text("a,b\n1,2\n"), { genes: ["c"] }), RangeError);
});

Deno.test("what is long is read in time of its length", async () => {
  const digits = await readTable(text(`a,b\n${"1".repeat(80_000)}x,2\n`));
  assertEquals(Array.isArray(digits.column("a")), true);
  const names = Array.from({ length: 20_000 }, (_, j) => `g${j}`);
  const wide = await readTable(text(`${names.join(",")}\n${names.map((_, j) => j).join(",")}\n`));
  const start = performance.now();
  assertEquals(wide.matrix({ columns: names, ignore: names.slice(1) }).toArray(), [[0]]);
  assertEquals(performance.now() - start < 2000, true);
});

Deno.test("readNpz() says that an archive holds no arrays", async () => {
  const { message } = await assertRejects(() => readNpz(text("PK no archive")), SyntaxError);
  assertEquals(
    message.startsWith('Cannot read "the bytes" as it is not a whole zip archive'),
    true,
  );
});

Deno.test("openCells() leaves no archive open that it has read whole", () =>
  inTempDirectory(async (folder) => {
    const path = `${folder}/cells.npz`;
    await Deno.writeFile(path, (await variants()).get("scipy_csr_plain.npz")!);
    // A descriptor is the first number that is free.
    const next = () => {
      const descriptor = openSync(path, "r");
      closeSync(descriptor);
      return descriptor;
    };
    const isLeftOpen = async () => {
      const before = next();
      const files = [await openCells(path), await openCells(path)];
      const after = next();
      for (const file of files) file.close();
      return after !== before;
    };
    // Tests beside this one, in the same process, open and close files as well.
    let tries = 1;
    while (await isLeftOpen()) assert(tries++ < 20, "archives are left open");
  }));
