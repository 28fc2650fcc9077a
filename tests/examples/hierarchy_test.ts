import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { runExample } from "./run_example.ts";

const { start, run, inFolder } = runExample("04_hierarchy.ts", "--quick");
const REAL = new URL("../../../shared/data/", import.meta.url).pathname;

async function readMetrics(out: string) {
  return JSON.parse(await Deno.readTextFile(`${out}/hierarchy/metrics.json`));
}

Deno.test("the hierarchy example annotates simulated cells, also after a kill", () =>
  inFolder(async (out) => {
    const { code, stdout, stderr } = await run(`${out}/whole`);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "hierarchical, down the tree");
    const whole = await readMetrics(`${out}/whole`);
    const { flat, hierarchical, types, tree, localAccuracy } = whole;
    assertEquals(types.length, 8);
    assertEquals(tree.length, 15);
    assertGreater(flat.macroF1, 0.4);
    assertGreater(hierarchical.macroF1, 0.4);
    assertGreater(hierarchical.hierarchicalF1, hierarchical.accuracy);
    assertEquals(hierarchical.levelAccuracy.length, 3);
    assertGreater(hierarchical.levelAccuracy[0], hierarchical.levelAccuracy[2]);
    assertGreater(localAccuracy[0], 0.6);
    const report = await Deno.readTextFile(`${out}/whole/hierarchy/report.html`);
    assertStringIncludes(report, "<svg");
    assertStringIncludes(report, "Simulated cells");

    const child = start(`${out}/killed`);
    const checkpoint = `${out}/killed/hierarchy/checkpoints/flat-0.safetensors`;
    while (!await Deno.stat(checkpoint).then(() => true, () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    child.kill("SIGKILL");
    await child.output();
    const resumed = await run(`${out}/killed`, "--resume");
    assertEquals(resumed.code, 0, resumed.stderr);
    assertEquals(await readMetrics(`${out}/killed`), whole);
  }));

Deno.test("the hierarchy example takes the terms of labels from a file", () =>
  inFolder(async (out) => {
    const folder = await Deno.makeTempDir({ prefix: "terms" });
    const cells = Array.from({ length: 12 }, (_, i) => `${i % 5},${i % 2},${"xyz"[i % 3]}`);
    await Deno.writeTextFile(`${folder}/cells.csv`, ["a,b,kind", ...cells].join("\n") + "\n");
    const terms = "x\tCL:0000236\ny\tCL:0000624\nz\tCL:0000625\n";
    await Deno.writeTextFile(`${folder}/terms.tsv`, terms);
    const data = [`--data=${folder}/cells.csv`, "--labels=kind"];
    const without = await run(out, ...data);
    assertEquals(without.code, 2);
    assertStringIncludes(without.stderr, 'Cannot find the type "x" in the ontology');
    const { code, stderr } = await run(out, ...data, `--terms=${folder}/terms.tsv`);
    await Deno.remove(folder, { recursive: true });
    assertEquals(code, 0, stderr);
    const { tree } = await readMetrics(out);
    assertEquals(tree.map(({ name }: { name: string }) => name), [
      "lymphocyte",
      "T cell",
      "x",
      "y",
      "z",
    ]);
  }));

Deno.test("the hierarchy example answers a missing ontology with one line and status 2", () =>
  inFolder(async (out) => {
    const { code, stderr } = await run(out, "--ontology=missing.obo");
    assertEquals(code, 2);
    assertStringIncludes(stderr, "missing.obo");
  }));

Deno.test({
  name: "the hierarchy example finds the real blood cells in the Cell Ontology",
  ignore: !exists(`${REAL}cl-basic.obo`),
  fn: () =>
    inFolder(async (out) => {
      const data = `--data=${REAL}10x_pbmc68k_reduced.h5ad`;
      const { code, stderr } = await run(out, data, `--ontology=${REAL}cl-basic.obo`);
      assertEquals(code, 0, stderr);
      const { types, hierarchical } = await readMetrics(out);
      assertEquals(types.length, 10);
      assertEquals(hierarchical.levelAccuracy.length, 9);
      assertGreater(hierarchical.hierarchicalF1, 0.85);
    }),
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
