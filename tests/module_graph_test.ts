import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { assertListed } from "./guards.ts";

const ROOT = new URL("../", import.meta.url);

/**
 * Which module may import which: each from the layers above its own line, and within its own entry.
 * Types may be imported from anywhere: they leave no trace at run time.
 */
const LAYERS: readonly (readonly string[])[] = [
  ["src/describe.ts", "src/disposal.ts", "src/habits.ts"],
  ["src/dtype.ts", "src/hash.ts"],
  ["src/shape.ts"],
  ["kernels/"],
  ["src/options.ts"],
  ["src/fluent_elementwise.ts"],
  ["src/display.ts", "src/fluent.ts", "src/intake.ts"],
  ["src/tensor.ts"],
  ["src/op.ts", "src/create.ts", "src/trace.ts", "src/tree.ts"],
  ["src/check.ts"],
  ["src/labels.ts"],
  ["src/ops/"],
  ["src/ranges.ts"],
  ["src/transforms/"],
  ["src/linalg/"],
  ["src/program/"],
  ["src/testing.ts", "src/random.ts"],
  ["src/losses/", "src/metrics/", "src/optim/"],
  ["src/nn/"],
  ["src/backends/"],
  ["src/compile/"],
  ["src/data/"],
  ["src/mpi/"],
  ["src/all.ts"],
  ["mod.ts"],
];

/** The rooms behind entry points: their own folder belongs to them. */
const ROOMS: Record<string, string> = { "src/random/": "src/random.ts" };

const IMPORT = /^(?:import|export)\b(?!\s+type\b)[^;"'`]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*("[^"]*"|[^)]*)\)/g;

function withoutComments(source: string): string {
  return source.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
}

function modulesUnder(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name, isDirectory }) =>
    isDirectory ? modulesUnder(`${folder}${name}/`) : name.endsWith(".ts") ? [folder + name] : []
  );
}

interface Module {
  source: string;
  /** The repository's modules that it imports at run time. */
  own: string[];
  /** Those of them that are loaded when they are needed. */
  later: string[];
  /** What else it imports at run time. */
  foreign: string[];
}

function readModule(path: string): Module {
  const url = new URL(path, ROOT);
  const source = withoutComments(Deno.readTextFileSync(url));
  const now = [...source.matchAll(IMPORT)].map((m) => m[1] ?? m[2]!);
  const later = [...source.matchAll(DYNAMIC)].map((m) => m[1]!.replaceAll('"', ""));
  const isOwn = (specifier: string) => specifier.startsWith(".");
  const pathOf = (specifier: string) => new URL(specifier, url).href.slice(ROOT.href.length);
  return {
    source,
    own: [...now, ...later].filter(isOwn).map(pathOf),
    later: later.filter(isOwn).map(pathOf),
    foreign: [...now, ...later].filter((specifier) => !isOwn(specifier)),
  };
}

const MODULES = new Map(
  ["mod.ts", ...modulesUnder("src/"), ...modulesUnder("kernels/")].map((path) =>
    [path, readModule(path)] as const
  ),
);

/** The layer of a module and its entry there. */
function placeOf(path: string): { layer: number; entry: string } {
  const room = Object.keys(ROOMS).find((folder) => path.startsWith(folder));
  const name = room === undefined ? path : ROOMS[room]!;
  const fits = (entry: string) => entry.endsWith("/") ? name.startsWith(entry) : name === entry;
  for (const [layer, entries] of LAYERS.entries()) {
    const entry = entries.find(fits);
    if (entry !== undefined) return { layer, entry };
  }
  return { layer: -1, entry: path };
}

/** Everything that a module imports, and what that imports; on request, only what is loaded at once. */
function reachableFrom(entry: string, { atOnce = false } = {}): Set<string> {
  const seen = new Set([entry]);
  for (const path of seen) {
    const { own, later } = MODULES.get(path)!;
    for (const next of own) if (!atOnce || !later.includes(next)) seen.add(next);
  }
  return seen;
}

Deno.test("every module has its place among the layers", () => {
  for (const path of MODULES.keys()) assertNotEquals([path, placeOf(path).layer], [path, -1]);
});

Deno.test("the imports are found: the sources are full of them", () => {
  assertEquals(
    MODULES.get("src/transforms/grad.ts")!.own.includes("src/transforms/linearize.ts"),
    true,
  );
  assertEquals(MODULES.get("src/fluent.ts")!.own, [
    "src/fluent_elementwise.ts",
    "src/options.ts",
  ]);
  assertEquals(MODULES.get("src/ops/linalg.ts")!.own.includes("kernels/matmul/eager.ts"), true);
});

Deno.test("src/all.ts names all modules that mod.ts loads at once, and no other", () => {
  const listed = MODULES.get("src/all.ts")!.own;
  const entries = MODULES.get("mod.ts")!.own.filter((path) => path !== "src/all.ts");
  const needed = entries.flatMap((entry) => [...reachableFrom(entry, { atOnce: true })]);
  assertListed("src/all.ts", listed, needed);
  assertEquals(listed, [...new Set(needed)].sort());
});

Deno.test("dependencies point one way: from the losses to the ops to the tensor", () => {
  for (const [path, { own }] of MODULES) {
    const from = placeOf(path);
    for (const imported of own) {
      assert(MODULES.has(imported), `${path} imports ${imported}, which is outside of the library`);
      const to = placeOf(imported);
      assert(
        to.layer < from.layer || to.entry === from.entry,
        `${path} must not import ${imported}`,
      );
    }
  }
});

Deno.test("kernels know numbers and shapes only: they import no package", () => {
  for (const [path, { foreign }] of MODULES) {
    if (path.startsWith("kernels/")) assertEquals([path, foreign], [path, []]);
  }
});

Deno.test("kernels take types and shapes from the library, and not even types of anything else", () => {
  for (const [path, { source }] of MODULES) {
    if (!path.startsWith("kernels/")) continue;
    for (const [, taken] of source.matchAll(/from "[^"]*src\/([^"]+)"/g)) {
      assert(["dtype.ts", "shape.ts"].includes(taken!), `${path} imports ${taken}`);
    }
  }
});

Deno.test("modules outside of ops do not import one another in circles", () => {
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): void => {
    assert(!above.includes(path), `a circle: ${[...above, path].join(" → ")}`);
    if (done.has(path)) return;
    for (const next of MODULES.get(path)!.own) {
      if (!(path.startsWith("src/ops/") && next.startsWith("src/ops/"))) {
        visit(next, [...above, path]);
      }
    }
    done.add(path);
  };
  for (const path of MODULES.keys()) visit(path, []);
});

for (
  const entry of [
    "mod.ts",
    "src/losses/mod.ts",
    "src/metrics/mod.ts",
    "src/optim/mod.ts",
    "src/linalg/mod.ts",
    "src/nn/mod.ts",
    "src/random.ts",
    "src/testing.ts",
  ]
) {
  Deno.test(`${entry} reaches no other package, and nothing of one runtime`, () => {
    for (const path of reachableFrom(entry)) {
      const { source, foreign } = MODULES.get(path)!;
      assertEquals([path, foreign], [path, []]);
      assertEquals(/(?<!["'`])\b(Deno|process|Bun)\s*\./.test(source), false, path);
    }
  });

  Deno.test(`${entry} does not reach the readers of ./data`, () => {
    const found = [...reachableFrom(entry)].filter((path) => path.startsWith("src/data/"));
    assertEquals(found, []);
  });
}

Deno.test("losses, metrics, optimizers, layers and linear algebra know no device", () => {
  for (const room of ["losses", "metrics", "optim", "linalg", "nn"]) {
    const entry = `src/${room}/mod.ts`;
    for (const path of reachableFrom(entry)) {
      assertEquals(
        /^src\/(backends|program|compile|mpi)\//.test(path),
        false,
        `${entry} reaches ${path}`,
      );
    }
  }
});

Deno.test("passes and devices know kinds of operations, and none by name", () => {
  for (const [path, { source }] of MODULES) {
    if (!/^src\/(program|backends)\//.test(path)) continue;
    const compared = source.match(/[=!]==\s*\w+Op\b|\w+Op\s*[=!]==|includes\(\w*\.?op\b/g) ?? [];
    assertEquals(compared, [], path);
  }
});
