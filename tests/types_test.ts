/** What must compile, and what must not: `@ts-expect-error` in `types/` fails where all is well. */
import { assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Type-checks files as those of a user who asks for nothing but `strict`. */
async function check(files: string[]): Promise<{ ok: boolean; text: string }> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--no-lock", "--config", "tests/types/strict.json", ...files],
    cwd: ROOT,
  }).output();
  // deno-lint-ignore no-control-regex
  return { ok: success, text: new TextDecoder().decode(stderr).replaceAll(/\x1b\[\d*m/g, "") };
}

Deno.test("types: what must compile does, what must not does not, and the sources are strict", async () => {
  const entries = [
    "mod.ts",
    "src/testing.ts",
    "src/linalg/mod.ts",
    "src/nn/mod.ts",
    "src/data/mod.ts",
    "src/mpi/mod.ts",
  ];
  const files = ["values", "functions", "operations"].map((name) => `tests/types/${name}.ts`);
  const result = await check([...entries, ...files]);
  assertEquals(result, { ok: true, text: "" });
});

Deno.test("types: an expectation that nothing fails is noticed, and so is an error", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = [
      "// @ts-expect-error: nothing",
      "export const a = 1;",
      'export const b: 1 = "";',
    ];
    await Deno.writeTextFile(path, lines.join("\n"));
    const { ok, text } = await check([path]);
    assertEquals(ok, false);
    assertStringIncludes(text, "Unused '@ts-expect-error' directive");
    assertStringIncludes(text, "TS2322");
  } finally {
    await Deno.remove(path);
  }
});
