import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { log1p, type Tensor } from "@cellgrad/cellgrad";
import { normalizeTotal } from "@cellgrad/cellgrad/data";
import { UsageError } from "../../../examples/lib/arguments.ts";
import { digestOf } from "../../../examples/lib/cells/digest.ts";
import { readCells, sortTypes } from "../../../examples/lib/cells.ts";
import type { Reading } from "../../../examples/lib/cells/options.ts";
import {
  type Branch,
  branch,
  categorical,
  flags,
  frame,
  type Leaf,
  leaf,
  mapping,
  nullable,
} from "../../data/tree.ts";
import { FORMS, inTempDirectory } from "../../data/write.ts";

const CELLS = 12;
const GENES = ["CD19", "CD3E", "ACTB"];

/** Values of cells and genes: whole numbers, or a tenth of them. */
const values = (share = 1) =>
  Float32Array.from({ length: CELLS * GENES.length }, (_, i) => share * (1 + (i * i) % 7));

/** A file of cells with these columns and parts. */
function file(obs: Branch["members"], parts: Record<string, Leaf | Branch> = {}): Branch {
  return branch("anndata", "0.1.0", {
    X: leaf(values(), [CELLS, GENES.length]),
    obs: frame(Array.from({ length: CELLS }, (_, i) => `AAAC-${i}`), obs),
    var: frame(GENES, {}),
    layers: mapping({}),
    obsm: mapping({}),
    ...parts,
  });
}

async function read(tree: Branch, options: Omit<Reading, "labels"> = {}, form = "Zarr 3") {
  let found: Awaited<ReturnType<typeof readCells>>;
  await inTempDirectory(async (folder) => {
    found = await readCells(await FORMS[form]!(folder, tree), "type", options);
  });
  return found!;
}

async function refusal(tree: Branch, options: Omit<Reading, "labels"> = {}, form = "Zarr 3") {
  const { message } = await assertRejects(() => read(tree, options, form), UsageError);
  assert(!message.includes("\n"), message);
  return message.replaceAll(/"[^"]*\//g, '"');
}

const cycle = <T>(of: readonly T[]) => Array.from({ length: CELLS }, (_, i) => of[i % of.length]!);
const types = categorical(cycle([2, 0, 1]), ["T", "B", "NK"]);
const normalized = (x: Tensor) => log1p(normalizeTotal(x)).data;

Deno.test("readCells() keeps the order of the file's categories, and leaves unused ones out", async () => {
  for (const form of Object.keys(FORMS)) {
    const column = categorical(cycle([3, 0, 1]), ["T", "B", "unused", "NK"]);
    const { classes, labels } = await read(file({ type: column }), {}, form);
    assertEquals([classes, [...labels.subarray(0, 3)]], [["T", "B", "NK"], [2, 0, 1]]);
  }
});

/** Columns of three kinds whose cells 1 and 5 have no name, however that is written. */
const INCOMPLETE: Record<string, () => Leaf | Branch> = {
  "a code of −1": () => categorical(holes([2, 0, 1], -1), ["T", "B", "NK"]),
  "a category nan": () => categorical(holes([2, 0, 1], 3), ["T", "B", "NK", "nan"]),
  "an empty category": () => categorical(holes([2, 0, 1], 3), ["T", "B", "NK", " "]),
  "empty text": () => leaf(holes(["T", "B", "NK"], "")),
  "the text NA": () => leaf(holes(["T", "B", "NK"], "NA")),
  "the text NaN": () => leaf(holes(["T", "B", "NK"], "NaN")),
  "the text None": () => leaf(holes(["T", "B", "NK"], "None")),
  "a mask of text": () => nullable("nullable-string-array", leaf(cycle(["T", "B", "NK"])), mask()),
  "the number NaN": () => leaf(Float64Array.from(holes([4, 2, 11], NaN))),
  "the number −1": () => leaf(Int32Array.from(holes([4, 2, 11], -1))),
  "a mask of numbers": () =>
    nullable("nullable-integer", leaf(Int32Array.from(cycle([4, 2, 11]))), mask()),
  "a mask of booleans": () =>
    nullable("nullable-boolean", flags(cycle([true, false, true])), mask()),
};

function holes<T>(names: readonly T[], missing: T): T[] {
  return cycle(names).map((name, i) => i === 1 || i === 5 ? missing : name);
}

function mask(): boolean[] {
  return holes([false], true);
}

for (const [what, column] of Object.entries(INCOMPLETE)) {
  Deno.test(`readCells() takes ${what} for a missing label, and leaves the cells out`, async () => {
    const tree = file({ type: column() });
    const found = await read(tree);
    assertEquals([found.labels.length, found.expression.shape], [CELLS - 2, [CELLS - 2, 3]]);
    const kept = [...Array(CELLS).keys()].filter((i) => i !== 1 && i !== 5);
    const whole = await read(file({ type: types }));
    assertEquals(found.expression.toArray(), whole.expression.gather(kept).toArray());
    assert(!found.classes.some((name) => /nan|na|none|^$|-1/i.test(name) && name !== "NK"));
    assertEquals(
      found.notes[0],
      "type is missing in 2 of 12 cells, the first of them cell AAAC-1: left out " +
        "(--unlabelled error refuses them)",
    );
    assertEquals(
      await refusal(tree, { unlabelled: "error" }),
      "Column type must name every cell: it is missing in 2 of 12 cells, the first of them " +
        "cell AAAC-1",
    );
  });
}

Deno.test("readCells() refuses a column in which every label is missing", async () => {
  assertStringIncludes(
    await refusal(file({ type: leaf(cycle([""])) })),
    "Column type must name every cell: it is missing in 12 of 12 cells",
  );
});

Deno.test("readCells() orders numbers by size, and names booleans", async () => {
  const numbers = await read(file({ type: leaf(Int32Array.from(cycle([10, 9, 8]))) }));
  assertEquals(numbers.classes, ["8", "9", "10"]);
  const booleans = await read(file({ type: flags(cycle([true, false])) }));
  assertEquals([booleans.classes, booleans.labels[0]], [["false", "true"], 1]);
});

Deno.test("readCells() names cell and gene of what is no number, wherever it lies", async () => {
  for (const [bad, word] of [[NaN, "missing or NaN"], [Infinity, "Infinity"]] as const) {
    const spoilt = values().with(7, bad);
    const matrix = leaf(spoilt, [CELLS, 3]);
    const raw = branch("raw", "0.1.0", { X: matrix, var: frame(GENES, {}) });
    for (
      const [where, parts] of [
        ["X", { X: matrix }],
        ["raw/X", { raw }],
        ["layers/counts", { layers: mapping({ counts: matrix }) }],
      ] as const
    ) {
      assertStringIncludes(
        await refusal(file({ type: types }, parts)),
        `Cannot use ${where} of cells3.zarr as gene CD3E of cell AAAC-2 is ${word}: `,
      );
    }
  }
});

Deno.test("readCells() does not look at cells that it leaves out", async () => {
  const spoilt = leaf(values().with(1 * 3 + 1, NaN), [CELLS, 3]);
  const column = categorical(holes([2, 0, 1], -1), ["T", "B", "NK"]);
  assertEquals((await read(file({ type: column }, { X: spoilt }))).labels.length, CELLS - 2);
});

Deno.test("readCells() takes layers/counts for counts, whole or not", async () => {
  for (
    const [share, what] of [[1, "whole numbers are counts"], [0.1, "fractional counts"]] as const
  ) {
    const counts = leaf(values(share), [CELLS, 3]);
    const found = await read(file({ type: types }, { layers: mapping({ counts }) }));
    const { expression } = await read(file({ type: types }));
    expression.data.forEach((value, i) =>
      assert(Math.abs(value - found.expression.data[i]!) < 1e-4)
    );
    assertStringIncludes(found.notes.join("\n"), `${what}: normalised to a total of 10,000`);
  }
  const negative = leaf(values().with(4, -2), [CELLS, 3]);
  assertStringIncludes(
    await refusal(file({ type: types }, { layers: mapping({ counts: negative }) })),
    "gene CD3E of cell AAAC-1 is -2: counts must not be negative",
  );
});

Deno.test("readCells() takes the genes that it is told, and names those that are not there", async () => {
  const whole = file({ type: types });
  const chosen = await read(whole, { genes: "ACTB, CD19" });
  assertEquals(chosen.expression.data, normalized((await raw(whole)).gather([0, 2], { axis: 1 })));
  const ignored = await read(whole, { ignore: "CD3E" });
  assertEquals(ignored.expression.toArray(), chosen.expression.toArray());
  assertEquals(
    await refusal(whole, { ignore: "CD4" }),
    "Option --ignore must name genes of X of cells3.zarr: there is no CD4 among CD19, CD3E, ACTB",
  );
});

/** The numbers of a file, not normalised. */
async function raw(tree: Branch): Promise<Tensor> {
  const { tensor } = await import("@cellgrad/cellgrad");
  const X = tree.members["X"] as Leaf;
  return tensor(X.values as Float32Array, { shape: X.shape });
}

Deno.test("readCells() leaves out cells without a batch as those without a type", async () => {
  const donor = categorical(holes([1, 0], -1), ["z", "a"]);
  const { batches, batchNames, labels } = await read(file({ type: types, donor }), {
    batch: "donor",
  });
  assertEquals([batchNames, batches!.length, labels.length], [["z", "a"], 10, 10]);
});

Deno.test("sortTypes() gives the same cells in another order, and says where names were", async () => {
  const cells = await read(file({ type: types }));
  const { labels, classes, before } = sortTypes(cells);
  assertEquals(classes, ["B", "NK", "T"]);
  labels.forEach((label, cell) => {
    assertEquals(classes[label], cells.classes[cells.labels[cell]!]);
    assertEquals(before[label], cells.labels[cell]);
  });
});

Deno.test("digestOf() is another one for other values", async () => {
  const [one, same] = [await read(file({ type: types })), await read(file({ type: types }))];
  const other = await read(file({ type: types }), { genes: "CD19,CD3E" });
  assertEquals(await digestOf(one.expression), await digestOf(same.expression));
  assert(await digestOf(one.expression) !== await digestOf(other.expression));
});

Deno.test("readCells() refuses many genes of which none is more variable than others", async () => {
  const genes = Array.from({ length: 2100 }, (_, j) => `g${j}`);
  const same = Float32Array.from({ length: CELLS * 2100 }, (_, i) => Math.floor(i / 2100) % 2);
  const tree = file({ type: types }, { X: leaf(same, [CELLS, 2100]), var: frame(genes, {}) });
  assertStringIncludes(
    await refusal(tree, {}, "h5ad"),
    "as none of its 2100 genes is more variable than others of its mean, and at most 2000 are used: " +
      "choose with --genes",
  );
});
