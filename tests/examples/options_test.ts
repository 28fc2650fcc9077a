import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runExample } from "./run_example.ts";

const EXAMPLES = [...Deno.readDirSync(new URL("../../examples", import.meta.url))]
  .map(({ name }) => name)
  .filter((name) => /^\d+_.*\.ts$/.test(name));

/** Whole numbers that the data limit: more of them than there are counts as all. */
const LIMITED_BY_DATA = ["--folds", "--batch-size", "--variable-genes"];

for (const file of EXAMPLES) {
  const { run, inFolder } = runExample(file);

  Deno.test(`${file} shows its options, each whole number with its range, on --help`, () =>
    inFolder(async (out) => {
      const { code, stdout, stderr } = await run(out, "--help");
      assertEquals([code, stderr], [0, ""]);
      assertMatch(stdout, /^Usage: deno task \S+ \[options\]\n/);
      for (const line of stdout.split("\n").filter((line) => line.includes("(a whole number"))) {
        const flag = line.trim().split(" ")[0]!;
        if (!LIMITED_BY_DATA.includes(flag)) assertMatch(line, /a whole number >= \d+ and <= \d+/);
      }
    }));

  Deno.test(`${file} refuses what it does not know in one line`, () =>
    inFolder(async (out) => {
      const { code, stdout, stderr } = await run(out, "--epoxy=3");
      assertEquals([code, stdout], [2, ""]);
      assertStringIncludes(stderr, "error: Unknown option --");
      assertEquals(stderr.trim().split("\n").length, 1);
    }));
}
