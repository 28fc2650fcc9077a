import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertListed } from "../guards.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

/** Every program, and where within --out its results go. */
const PROGRAMS: readonly (readonly [string, string])[] = [
  ["01_annotate.ts", ""],
  ["02_integrate.ts", "/integrate"],
  ["03_perturb.ts", "/perturb"],
  ["04_hierarchy.ts", "/hierarchy"],
  ["05_trajectory.ts", "/trajectory"],
  ["06_segment.ts", "/segment"],
  ["07_integrate_mpi.ts", "/integrate_mpi"],
];

/** A program whose training would take longer than this test waits. */
async function run(program: string, out: string, ...permissions: string[]) {
  const path = new URL(program, EXAMPLES).pathname;
  const signal = AbortSignal.timeout(20_000);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", "--allow-read", ...permissions, path, "--out", out],
    env: { NO_COLOR: "1" },
    signal,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("every program with results is among those whose --out is tried", () => {
  const files = [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name);
  const hasOptions = (name: string) => {
    const text = Deno.readTextFileSync(new URL(name, EXAMPLES));
    return text.includes("lib/arguments.ts") && !text.includes("options: {},");
  };
  const needed = files.filter((name) => name.endsWith(".ts") && hasOptions(name));
  assertListed("PROGRAMS in tests/examples/out_test.ts", PROGRAMS.map(([name]) => name), needed);
});

for (const [program, within] of PROGRAMS) {
  Deno.test(`${program} refuses an --out that it cannot write before it trains, in one line`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "out" });
    try {
      await Deno.writeTextFile(`${folder}/file`, "kept");
      await Deno.mkdir(`${folder}/taken${within}/metrics.json`, { recursive: true });
      for (
        const [out, permission, reason] of [
          [`${folder}/file`, "--allow-write", "as "],
          [`${folder}/taken`, "--allow-write", `metrics.json" as it is a folder`],
          [`${folder}/new`, "--deny-write", "as Deno has no permission: it needs write access to"],
        ] as const
      ) {
        const { code, stdout, stderr } = await run(program, out, permission);
        assertEquals([code, stdout, stderr.trim().split("\n").length], [2, "", 1], stderr);
        assert(stderr.startsWith(`error: Cannot write "${out}${within}`), stderr);
        assertStringIncludes(stderr, reason);
      }
      assertEquals(await Deno.readTextFile(`${folder}/file`), "kept");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("browser/main.ts refuses an --out that it cannot write before it builds", async () => {
  const folder = await Deno.makeTempDir({ prefix: "out" });
  try {
    const { code, stdout, stderr } = await run("browser/main.ts", folder, "--allow-write");
    assertEquals([code, stdout, stderr], [
      2,
      "",
      `error: Cannot write "${folder}" as it is a folder\n`,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
