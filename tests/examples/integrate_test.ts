import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { tensor } from "@cellgrad/cellgrad";
import { key, uniform } from "@cellgrad/cellgrad/random";
import { kMeans } from "../../examples/lib/integrate/kmeans.ts";
import { addBatchEffect } from "../../examples/lib/integrate/synthetic_batches.ts";
import { runExample } from "./run_example.ts";

const { start, run, inFolder } = runExample("02_integrate.ts");
const REAL = new URL("../../../shared/data/10x_pbmc68k_reduced.h5ad", import.meta.url).pathname;
const SMALL = ["--quick", "--repeats=2", "--epochs=2", "--full-only"];

const metricsOf = (out: string) => Deno.readTextFile(`${out}/integrate/metrics.json`);
const reportOf = (out: string) => Deno.readTextFile(`${out}/integrate/report.html`);

Deno.test("the integration mixes batches of simulated cells, and reports it", () =>
  inFolder(async (out) => {
    const { code, stdout, stderr } = await run(
      out,
      "--quick",
      "--epochs=2",
      `--figures=${out}/figures`,
    );
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "without DAB");
    const { repeats, ablation, dataset } = JSON.parse(await metricsOf(out));
    assertEquals([dataset.cells, dataset.origin, repeats.length], [300, "simulated", 2]);
    for (const { before, after } of repeats) assertGreater(after.ilisi, before.ilisi + 0.05);
    assertEquals(ablation.map(({ name }: { name: string }) => name), [
      "full",
      "no_mlm",
      "no_mvc",
      "no_zero",
      "no_ecs",
      "no_dab",
      "full_reversal",
      "mixed",
      "mixed_no_dab",
      "batch_mixing",
      "mmd",
    ]);
    assertEquals(ablation[0].measures, repeats[0].after);
    assertEquals(Object.keys(repeats[0].after), [
      "ilisi",
      "clisi",
      "typeSilhouette",
      "ari",
      "nmi",
    ]);
    const report = await reportOf(out);
    for (
      const text of [
        "Simulated cells.",
        "<svg",
        "mmdLoss, mixed",
        "higher is better",
        "A silhouette width by batch is not among the measures",
      ]
    ) {
      assertStringIncludes(report, text);
    }
    for (const name of ["cells", "ablation"]) {
      const figure = await Deno.readTextFile(`${out}/figures/integrate_${name}.svg`);
      assertStringIncludes(figure, 'xmlns="http://www.w3.org/2000/svg"');
      assert(!figure.includes("var(--"), "a colour depends on the page");
    }
  }));

Deno.test("the integration gives the same numbers for the same seed, also after a kill", () =>
  inFolder(async (out) => {
    const [calm, killed] = [`${out}/calm`, `${out}/killed`];
    const long = [...SMALL, "--seed=3", "--epochs=4"];
    assertEquals((await run(calm, ...long)).code, 0);
    for (const lines of [1, 2]) {
      const child = start(killed, ...long, "--resume");
      const progress = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
      for (let line = 0; line < lines; line++) await progress.read();
      child.kill("SIGKILL");
      while (!(await progress.read()).done);
      await child.stdout.cancel();
      assertEquals((await child.status).signal, "SIGKILL");
    }
    assertEquals((await run(killed, ...long, "--resume")).code, 0);
    assertEquals(await metricsOf(killed), await metricsOf(calm));
    const other = await run(killed, ...long, "--resume", "--learning-rate=0.01");
    assertEquals(other.code, 2);
    assertStringIncludes(other.stderr, "as its learningRate is 0.005, and that of this run 0.01");
  }));

Deno.test("the integration stops on Ctrl-C, ready to be resumed", () =>
  inFolder(async (out) => {
    const child = start(out, "--quick");
    const progress = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    await progress.read();
    child.kill("SIGINT");
    while (!(await progress.read()).done);
    const said = await new Response(child.stdout).text();
    assertEquals((await child.status).code, 130);
    assertStringIncludes(said, "--resume continues from here");
    assertGreater(Deno.statSync(`${out}/integrate/checkpoints/full.safetensors`).size, 1000);
  }));

for (
  const [what, args, message] of [
    ["an unknown option", ["--epoch=3"], "did you mean --epochs?"],
    ["a batch column without a file", ["--batch=donor"], "Option --batch needs --data as well"],
    ["a file without batches", ["--data=a.h5ad"], "needs either --batch KEY"],
    [
      "a file that is not there",
      ["--data=a.h5ad", "--synthetic-batches=2"],
      '"a.h5ad" as it does not exist',
    ],
  ] as const
) {
  Deno.test(`the integration answers ${what} with one line and status 2`, () =>
    inFolder(async (out) => {
      const { code, stdout, stderr } = await run(out, ...args);
      assertEquals([code, stdout], [2, ""]);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
      assertStringIncludes(stderr, message);
    }));
}

Deno.test("the integration shows its options on --help", () =>
  inFolder(async (out) => {
    const { code, stdout } = await run(out, "--help");
    assertEquals(code, 0);
    for (const option of ["--batch KEY", "--quick", "--resume", "--device cpu|webgpu"]) {
      assertStringIncludes(stdout, option);
    }
  }));

Deno.test("the integration adds a batch effect to a table of cells, and says so", () =>
  inFolder(async (out) => {
    const genes = Array.from({ length: 20 }, (_, gene) => gene);
    const rows = Array.from(
      { length: 80 },
      (_, cell) => [
        cell % 2 ? "B" : "T",
        ...genes.map((g) => (7 * cell + 3 * g) % 5 + 9 * ((cell + g) % 2)),
      ],
    );
    const table = [["type", ...genes.map((gene) => `G${gene}`)], ...rows];
    const file = await Deno.makeTempFile({ suffix: ".csv" });
    await Deno.writeTextFile(file, table.map((row) => row.join(",")).join("\n"));
    const data = [`--data=${file}`, "--labels=type", "--synthetic-batches=2"];
    const { code, stderr } = await run(out, ...SMALL, "--repeats=1", ...data);
    await Deno.remove(file);
    assertEquals(code, 0, stderr);
    const { dataset } = JSON.parse(await metricsOf(out));
    assertEquals([dataset.cells, dataset.origin], [80, "synthetic"]);
    assertStringIncludes(await reportOf(out), "Added batch effect.");
  }));

if (existing(REAL)) {
  Deno.test("the integration reads batches from a column, and lists the columns", () =>
    inFolder(async (out) => {
      const data = [`--data=${REAL}`, "--labels=bulk_labels"];
      const { code, stderr } = await run(out, ...SMALL, "--repeats=1", ...data, "--batch=phase");
      assertEquals(code, 0, stderr);
      const { dataset } = JSON.parse(await metricsOf(out));
      assertEquals([dataset.cells, dataset.origin], [700, "measured"]);
      assert(!(await reportOf(out)).includes("Added batch effect."));
      const unknown = await run(out, ...data, "--batch=donor");
      assertEquals(unknown.code, 2);
      assertStringIncludes(
        unknown.stderr,
        "Option --batch must name a column of the cells, one of",
      );
    }));
}

function existing(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

Deno.test("kMeans() finds clouds that lie apart, whatever their order", () => {
  const noise = uniform(key(0), [90, 2]).data;
  const points = tensor(noise.map((value, i) => value + 10 * (Math.floor(i / 2) % 3)), {
    shape: [90, 2],
  });
  const labels = kMeans(points, { clusters: 3, starts: 5 });
  assertEquals(new Set(labels).size, 3);
  labels.forEach((label, i) => assertEquals(label, labels[i % 3]));
});

Deno.test("addBatchEffect() leaves the first batch, zeros and totals as they are", () => {
  const expression = uniform(key(1), [40, 30]).mul(4).sub(1).relu();
  const { expression: changed, batches } = addBatchEffect(key(2), expression, {
    batches: 4,
    strength: 0.8,
  });
  const sizes = [0, 1, 2, 3].map((batch) => batches.filter((b) => b === batch).length);
  assertEquals(sizes, [10, 10, 10, 10]);
  const [old, now] = [expression, changed].map((x) => x.expm1().toArray() as number[][]);
  const total = (row: readonly number[]) => row.reduce((a, b) => a + b, 0);
  old!.forEach((row, cell) => {
    const after = now![cell]!;
    assert(Math.abs(total(after) / total(row) - 1) < 1e-4);
    assert(row.every((value, gene) => (value === 0) === (after[gene] === 0)));
    const difference = Math.max(...row.map((value, gene) => Math.abs(value - after[gene]!)));
    assertEquals(difference > 0.01, batches[cell] !== 0);
  });
});
