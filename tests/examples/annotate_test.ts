import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { csr, writeAnnData } from "@cellgrad/cellgrad/data";
import { runExample } from "./run_example.ts";

const { start, run, inFolder } = runExample("01_annotate.ts");
const REAL = new URL("../../../shared/data/", import.meta.url).pathname;
const QUICK = ["--epochs=6", "--folds=2", "--hidden=16", "--learning-rate=0.01"];

async function readMetrics(out: string) {
  return JSON.parse(await Deno.readTextFile(`${out}/metrics.json`));
}

Deno.test("the demo annotates simulated cells and writes metrics and a report", () =>
  inFolder(async (out) => {
    const { code, stdout, stderr } = await run(out, ...QUICK);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "Loss Configuration:");
    assertStringIncludes(stdout, "Cell type");
    const metrics = await readMetrics(out);
    assertGreaterOrEqual(metrics.accuracy, 0.5);
    assertEquals([metrics.seed, metrics.settings.epochs, metrics.interrupted], [0, 6, false]);
    assertEquals(metrics.perClass.length, 6);
    const report = await Deno.readTextFile(`${out}/report.html`);
    assertStringIncludes(report, "<svg");
    assertStringIncludes(report, "Simulated cells");
  }));

Deno.test("the demo gives the same numbers for the same seed, and others for another", () =>
  inFolder(async (out) => {
    const runs = [];
    for (const seed of [3, 3, 4]) {
      await run(out, ...QUICK, `--seed=${seed}`);
      runs.push(await Deno.readTextFile(`${out}/metrics.json`));
    }
    assertEquals(runs[0], runs[1]);
    assert(runs[0] !== runs[2]);
  }));

Deno.test("the demo trains under every loss that it offers", () =>
  inFolder(async (out) => {
    for (const loss of ["ce", "weighted_ce", "focal"]) {
      const { code, stdout, stderr } = await run(out, ...QUICK, `--loss=${loss}`);
      assertEquals([code, stderr.includes("rror")], [0, false], stderr);
      assertStringIncludes(stdout, `Loss type: ${loss}`);
    }
  }));

for (
  const [what, args, message] of [
    ["an unknown option", ["--epoch=3"], "Unknown option --epoch: did you mean --epochs?"],
    ["a bad value", ["--folds=1"], "Option --folds must be a whole number >= 2"],
    ["an unknown loss", ["--loss=hinge"], "Option --loss must be one of ce, weighted_ce, focal"],
    ["too many units", ["--hidden=100000000"], "Option --hidden must be a whole number >= 1 and"],
    ["a missing file", ["--data=missing.h5ad", "--labels=x"], "does not exist"],
  ] as const
) {
  Deno.test(`the demo answers ${what} with one line and status 2`, () =>
    inFolder(async (out) => {
      const { code, stdout, stderr } = await run(out, ...args);
      assertEquals([code, stdout], [2, ""]);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
      assertStringIncludes(stderr, message);
    }));
}

Deno.test("the demo shows its options on --help", () =>
  inFolder(async (out) => {
    const { code, stdout } = await run(out, "--help");
    assertEquals(code, 0);
    for (const option of ["--data", "--labels", "--loss", "--gamma", "--seed", "--out"]) {
      assertStringIncludes(stdout, option);
    }
  }));

Deno.test("the demo writes what it has reached when it is interrupted", () =>
  inFolder(async (out) => {
    const child = start(out, "--epochs=400", "--folds=2", "--hidden=16");
    const errors = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    await errors.read(); // The first epochs are done.
    child.kill("SIGINT");
    while (!(await errors.read()).done);
    await child.stdout.cancel();
    assertEquals((await child.status).code, 130);
    const metrics = await readMetrics(out);
    assertEquals([metrics.interrupted, metrics.accuracy], [true, null]);
    assertStringIncludes(await Deno.readTextFile(`${out}/report.html`), "Interrupted");
  }));

Deno.test("the demo keeps earlier results when it is interrupted in its first fold", () =>
  inFolder(async (out) => {
    assertEquals((await run(out, ...QUICK)).code, 0);
    const files = [`${out}/metrics.json`, `${out}/report.html`];
    const earlier = await Promise.all(files.map((file) => Deno.readTextFile(file)));
    const child = start(out, "--epochs=400", "--folds=2", "--hidden=16");
    const errors = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    await errors.read(); // The first epochs are done.
    child.kill("SIGINT");
    while (!(await errors.read()).done);
    const stdout = await new Response(child.stdout).text();
    assertEquals((await child.status).code, 130);
    assertStringIncludes(stdout, `the earlier results in ${out} are kept`);
    assertEquals(await Promise.all(files.map((file) => Deno.readTextFile(file))), earlier);
  }));

Deno.test("the demo stops a training that diverges, and keeps earlier results", () =>
  inFolder(async (out) => {
    assertEquals((await run(out, ...QUICK)).code, 0);
    const earlier = await readMetrics(out);
    const { code, stderr } = await run(out, ...QUICK, "--learning-rate=1e30");
    assertEquals(code, 2);
    assertMatch(
      stderr.trim().split("\n").at(-1)!,
      /^error: Training stopped in fold 1, epoch \d, as .* became NaN: try a smaller --learning-rate$/,
    );
    assertEquals(await readMetrics(out), earlier);
  }));

Deno.test("the demo reads a table of counts", () =>
  inFolder(async (out) => {
    const rows = Array.from({ length: 60 }, (_, i) =>
      [i % 2 ? "B" : "T", i % 2 * 9, 9 - i % 2 * 9, 3 + i % 3].join(","));
    const file = await Deno.makeTempFile({ suffix: ".csv" });
    await Deno.writeTextFile(file, ["type,CD19,CD3E,ACTB", ...rows].join("\n"));
    const { code, stderr } = await run(out, `--data=${file}`, "--labels=type", "--folds=2");
    await Deno.remove(file);
    assertEquals(code, 0, stderr);
    assertEquals((await readMetrics(out)).accuracy, 1);
  }));

/** Counts of more cells and genes than are held with their zeros: 20 genes of each cell. */
function manyCells(): Parameters<typeof writeAnnData>[1] {
  const [cells, genes, held] = [9000, 7500, 20];
  const codes = Int32Array.from({ length: cells }, (_, cell) => cell % 3);
  // Every type has genes of its own, of which each of its cells expresses some.
  const gene = (_: unknown, at: number) => {
    const [cell, place] = [Math.floor(at / held), at % held];
    return 2500 * codes[cell]! + 100 * place + (cell * 7 + place) % 100;
  };
  const size = { length: cells * held };
  const X = csr({
    data: Float32Array.from(size, (_, at) => 1 + (Math.imul(at, 2654435761) >>> 29)),
    indices: Int32Array.from(size, gene),
    indptr: Int32Array.from({ length: cells + 1 }, (_, cell) => held * cell),
    shape: [cells, genes],
  });
  const categories = ["B", "T", "NK"];
  return { X, obs: { type: { kind: "categorical", codes, categories, ordered: false } } };
}

Deno.test("the demo leaves out the zeros of a large file, and draws some of its cells", () =>
  inFolder(async (out) => {
    const folder = await Deno.makeTempDir();
    const file = `${folder}/many.h5ad`;
    await writeAnnData(file, manyCells());
    const args = ["--labels=type", "--epochs=1", "--folds=2", "--learning-rate=0.01"];
    const { code, stdout, stderr } = await run(out, `--data=${file}`, ...args);
    await Deno.remove(folder, { recursive: true });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "many.h5ad: 9000 × 2000 (cells × genes)");
    assertStringIncludes(stdout, "zeros are not held: with them expression takes 0.3 GiB");
    assertGreaterOrEqual((await readMetrics(out)).accuracy, 0.95);
    const report = await Deno.readTextFile(`${out}/report.html`);
    assertStringIncludes(report, "of the 9,000 cells are drawn, evenly spread");
    assertStringIncludes(report, "zeros are not held");
    assertLess(report.length, 3e6);
  }));

const hasReal = (() => {
  try {
    return Deno.statSync(`${REAL}10x_pbmc68k_reduced.h5ad`).isFile;
  } catch {
    return false;
  }
})();

if (hasReal) {
  Deno.test("the demo annotates real blood cells as well as logistic regression does", () =>
    inFolder(async (out) => {
      const results = [];
      for (const file of ["10x_pbmc68k_reduced.h5ad", "10x_pbmc68k_reduced.zarr.zip"]) {
        const { code, stderr } = await run(
          out,
          `--data=${REAL}${file}`,
          "--labels=bulk_labels",
          "--loss=weighted_ce",
          "--folds=5",
        );
        assertEquals(code, 0, stderr);
        results.push(await readMetrics(out));
      }
      for (const { accuracy, macroF1 } of results) {
        assertGreaterOrEqual(accuracy, 0.82);
        assertGreaterOrEqual(macroF1, 0.7);
      }
      assert(Math.abs(results[0].accuracy - results[1].accuracy) < 0.01);
    }));

  Deno.test("the demo lists the columns when the labels are missing or unknown", () =>
    inFolder(async (out) => {
      for (const labels of [[], ["--labels=celltype"]]) {
        const { code, stderr } = await run(
          out,
          `--data=${REAL}10x_pbmc68k_reduced.h5ad`,
          ...labels,
        );
        assertEquals(code, 2);
        assertEquals(stderr.trim().split("\n").length, 1, stderr);
        assertStringIncludes(stderr, "bulk_labels");
      }
    }));
}
