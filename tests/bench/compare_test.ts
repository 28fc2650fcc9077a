import { assertEquals, assertThrows } from "@std/assert";
import {
  type Baseline,
  compareResults,
  comparisonTable,
  readResults,
} from "../../bench/compare.ts";

const REPORT = {
  version: 1,
  runtime: "Deno/2.9.6 x86_64-unknown-linux-gnu",
  cpu: "AMD EPYC",
  benches: [
    { group: null, name: "mul", results: [{ ok: { n: 10, min: 123.456, avg: 400 } }] },
    { group: "losses", name: "mmd", results: [{ ok: { n: 10, min: 2e6, avg: 3e6 } }] },
    { group: "exp", name: "exp, eager", results: [{ ok: { n: 10, min: 50, avg: 60 } }] },
    { group: null, name: "broken", results: [{ failed: { message: "no" } }] },
  ],
};

function baseline(min: Record<string, number>): Baseline {
  return { cpu: "AMD EPYC", runtime: "Deno/2.9.6", min };
}

Deno.test("readResults() keeps the fastest calls of benches that did not fail", () => {
  assertEquals(readResults(JSON.stringify(REPORT)), {
    cpu: "AMD EPYC",
    runtime: "Deno/2.9.6 x86_64-unknown-linux-gnu",
    min: { "mul": 123.5, "losses: mmd": 2e6, "exp, eager": 50 },
  });
});

Deno.test("readResults() throws for other files", () => {
  assertThrows(
    () => readResults('{"cpu": "AMD EPYC"}'),
    SyntaxError,
    "Cannot read the results as they must be what deno bench --json writes: " +
      "cpu, runtime or benches is missing",
  );
});

Deno.test("compareResults() finds what is slower than the limit", () => {
  const before = baseline({ a: 100, b: 100, c: 100 });
  const now = baseline({ a: 130, b: 131, c: 50 });
  const slower = compareResults(before, now, 1.3).map(({ name, slower }) => [name, slower]);
  assertEquals(slower, [["a", false], ["b", true], ["c", false]]);
});

Deno.test("compareResults() keeps benches that are new or gone, which are not slower", () => {
  const comparisons = compareResults(baseline({ old: 5 }), baseline({ new: 7 }), 1.3);
  assertEquals(comparisons, [
    { name: "new", before: undefined, now: 7, slower: false },
    { name: "old", before: 5, now: undefined, slower: false },
  ]);
});

Deno.test("comparisonTable() gives times in microseconds, ratios and verdicts", () => {
  const before = baseline({ a: 1000, b: 2000, old: 3000 });
  const now = baseline({ a: 1500, b: 2000, new: 123_456 });
  const table = comparisonTable(compareResults(before, now, 1.3));
  const lines = table.split("\n").map((line) => line.replaceAll(/ {2,}/g, "|"));
  assertEquals(lines.slice(2), [
    "a|1.00|1.50|1.50|slower",
    "b|2.00|2.00|1.00",
    "new|–|123|–|new",
    "old|3.00|–|–|gone",
  ]);
});

/** Runs the program in a folder of its own and returns its exit status and output. */
async function runCompare(args: string[]): Promise<{ code: number; text: string }> {
  const script = new URL("../../bench/compare.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", script, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("compare.ts says which processor it has no baseline for, and passes", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, JSON.stringify({ ...REPORT, cpu: "Unheard-of 9000" }));
  const { code, text } = await runCompare(["--results", file]);
  await Deno.remove(file);
  assertEquals(code, 0, text);
  assertEquals(text.split(",")[0], "Nothing to compare with: no baseline for Unheard-of 9000");
});

Deno.test("compare.ts says when there are no results", async () => {
  assertEquals(await runCompare(["--results", "no/such/file.json"]), {
    code: 2,
    text: "error: There is no file no/such/file.json: run deno task bench:json first\n",
  });
});
