import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { crossEntropyLoss, Tensor, tensor } from "@cellgrad/cellgrad";
import { simulateCells, sparse, writeAnnData } from "@cellgrad/cellgrad/data";
import { UsageError } from "../../../examples/lib/arguments.ts";
import { readManyCells, simulatedCells } from "../../../examples/lib/cells.ts";
import type { Expression } from "../../../examples/lib/cells/matrix.ts";
import type { Reading } from "../../../examples/lib/cells/options.ts";
import { crossValidate, type CrossValidation } from "../../../examples/lib/cross_validate.ts";
import { inTempDirectory } from "../../data/write.ts";

type Options = Omit<Reading, "labels">;
type Content = Parameters<typeof writeAnnData>[1];

/** The ways in which a file holds a matrix. */
const STORED: Record<string, (rows: number[][]) => Expression> = {
  csr: (rows) => sparse(tensor(rows), { format: "csr" }),
  csc: (rows) => sparse(tensor(rows), { format: "csc" }),
  dense: (rows) => tensor(rows),
};

const { counts: COUNTS } = simulateCells({ cells: 40, genes: 12, types: 3, seed: 1, dropout: 0.6 });
const ROWS = COUNTS.toArray() as number[][];
const CODES = ROWS.map((_, cell) => cell % 3);

function categorical(codes: number[], categories: string[]) {
  return {
    kind: "categorical",
    codes: Int32Array.from(codes),
    categories,
    ordered: false,
  } as const;
}

/** A file of cells of these types, whose expression is the main matrix or a layer of counts. */
function file(X: Expression, codes: number[] = CODES, isLayer = false): Content {
  const [cells, genes] = X.shape as [number, number];
  return {
    X: isLayer ? tensor([0]).broadcastTo([cells, genes]) : X,
    layers: isLayer ? { counts: X } : {},
    obs: {
      _index: Array.from({ length: cells }, (_, cell) => `AAAC-${cell}`),
      type: categorical(codes, ["T", "B", "NK"]),
      donor: categorical(codes.map((_, cell) => cell % 7 === 3 ? -1 : cell % 2), ["b", "a"]),
    },
    var: { _index: Array.from({ length: genes }, (_, gene) => `G${gene}`) },
  };
}

/** What is made of a file that is read without zeros, and with them. */
async function readTwice<T>(
  content: Content,
  make: (path: string, mostBytes: number) => Promise<T>,
) {
  const found: T[] = [];
  await inTempDirectory(async (folder) => {
    const path = `${folder}/cells.h5ad`;
    await writeAnnData(path, content);
    for (const mostBytes of [0, Infinity]) found.push(await make(path, mostBytes));
  });
  return found as [T, T];
}

/** What is said of a file that cannot be used, which must not depend on how it is read. */
async function refusal(content: Content, options: Options = {}): Promise<string> {
  const [held, whole] = await readTwice(content, async (path, mostBytes) => {
    const read = () => readManyCells(path, "type", options, mostBytes);
    return (await assertRejects(read, UsageError)).message;
  });
  assertEquals(held, whole);
  return held;
}

const ZEROS = /^zeros are not held: with them expression takes 0\.0 GiB$/;

async function assertSameCells(content: Content, options: Options = {}): Promise<void> {
  const [held, whole] = await readTwice(
    content,
    (path, mostBytes) => readManyCells(path, "type", options, mostBytes),
  );
  assert(!(held.expression instanceof Tensor) && whole.expression instanceof Tensor);
  assertEquals(held.expression.format, "csr");
  assertEquals(held.expression.toDense().toArray(), whole.expression.toArray());
  const notes = held.notes.filter((note) => !ZEROS.test(note));
  assertEquals(notes.length, held.notes.length - 1);
  assertEquals({ ...held, expression: 0, notes }, { ...whole, expression: 0 });
}

for (const [form, store] of Object.entries(STORED)) {
  Deno.test(`readManyCells() reads the cells of a ${form} matrix without their zeros`, async () => {
    const unlabelled = CODES.map((code, cell) => cell % 5 === 1 ? -1 : code);
    for (const isLayer of [false, true]) {
      await assertSameCells(file(store(ROWS), unlabelled, isLayer));
    }
    const donors = { batch: "donor", ignore: "G3, G7" };
    await assertSameCells(file(store(ROWS), unlabelled), donors);
    await assertSameCells(file(store(ROWS)), { genes: "G9,G1,G4" });
    await assertSameCells(file(store(ROWS.with(4, ROWS[0]!.map(() => 0)))));
    const scaled = ROWS.map((row) => row.map((value, gene) => value && value * (gene % 2 - 0.25)));
    await assertSameCells(file(store(scaled)));
    await assertSameCells(file(store(ROWS.map((row) => row.map((value) => value * 0.3)))));
  });

  Deno.test(`readManyCells() refuses of a ${form} matrix what it refuses of any`, async () => {
    for (const isLayer of [false, true]) {
      for (const [bad, word] of [[NaN, "missing or NaN"], [-Infinity, "-Infinity"]] as const) {
        const matrix = store(ROWS.with(7, ROWS[7]!.with(5, bad)));
        const where = isLayer ? "layers/counts" : "X";
        assertStringIncludes(
          await refusal(file(matrix, CODES, isLayer)),
          `Cannot use ${where} of cells.h5ad as gene G5 of cell AAAC-7 is ${word}: `,
        );
      }
    }
    const negative = store(ROWS.with(9, ROWS[9]!.with(11, -2)));
    // The cell before it is left out: names are those of the file.
    assertStringIncludes(
      await refusal(file(negative, CODES.with(8, -1), true)),
      "gene G11 of cell AAAC-9 is -2: counts must not be negative",
    );
    const constant = store(ROWS.map((row) => row.map((_, gene) => Number(gene === 2))));
    assertStringIncludes(await refusal(file(constant)), "no gene differs between two cells");
    const whole = file(store(ROWS), CODES.with(8, -1));
    assertStringIncludes(await refusal(whole, { genes: "CD4" }), "there is no CD4 among G0, G1");
    assertStringIncludes(await refusal(whole, { genes: "G1" }), "it holds one, G1");
    assertStringIncludes(await refusal(whole, { unlabelled: "error" }), "cell AAAC-8");
  });
}

Deno.test("readManyCells() does not look at a defect in cells that it leaves out", async () => {
  const matrix = STORED["csr"]!(ROWS.with(8, ROWS[8]!.with(0, NaN)));
  await assertSameCells(file(matrix, CODES.with(8, -1)));
});

Deno.test("readManyCells() chooses the same genes of very many without their zeros", async () => {
  const { counts } = simulateCells({ cells: 30, genes: 2040, types: 3, seed: 2, dropout: 0.5 });
  const codes = CODES.slice(0, 30);
  await assertSameCells(file(sparse(counts), codes));
  const scaled = sparse(counts.mul(-1));
  assertStringIncludes(await refusal(file(scaled, codes)), "with negative values");
});

Deno.test("readManyCells() holds the zeros of a small file, and where they are few", async () => {
  const few = ROWS.map((row) => row.map((value, gene) => gene < 7 ? value + 1 : 0));
  for (const store of Object.values(STORED)) {
    const found = await readTwice(
      file(store(few)),
      (path, mostBytes) => readManyCells(path, "type", {}, mostBytes),
    );
    for (const { expression, notes } of found) {
      assert(expression instanceof Tensor && !notes.some((note) => ZEROS.test(note)));
    }
  }
  const bytes = 4 * ROWS.length * ROWS[0]!.length;
  const [isWhole] = await readTwice(file(STORED["csr"]!(ROWS)), async (path) => {
    const cells = [bytes - 1, bytes, undefined]
      .map((mostBytes) => readManyCells(path, "type", {}, mostBytes));
    return (await Promise.all(cells)).map(({ expression }) => expression instanceof Tensor);
  });
  assertEquals(isWhole, [false, true, true]);
});

Deno.test("crossValidate() finds the same without zeros as with them", async () => {
  const cells = simulatedCells(3);
  const learn = (expression: Expression) =>
    crossValidate(
      { ...cells, expression },
      () => (logits, labels) => crossEntropyLoss(logits, labels),
      { epochs: 3, hidden: 16, learningRate: 0.01, folds: 2, seed: 1, device: "cpu" },
      () => Promise.resolve(true),
    );
  const [whole, held] = [await learn(cells.expression), await learn(sparse(cells.expression))];
  assertEquals(held.prediction, whole.prediction);
  assertEquals(held.foldAccuracies, whole.foldAccuracies);
  const numbers = ({ folds, confidence }: CrossValidation) => [
    ...folds.flatMap(({ trainLoss, validationLoss }) => [...trainLoss, ...validationLoss]),
    ...confidence,
  ];
  const expected = numbers(whole);
  numbers(held).forEach((value, i) => assertAlmostEquals(value, expected[i]!, 1e-4));
});
