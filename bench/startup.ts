/**
 * What does it cost to begin? The time that importing the library adds to an empty script, and the
 * first compilation of a training step of a network of two layers.
 *
 * Beside it stand what the same modules cost that import each other but hold nothing, and what their
 * contents cost in one file, which has no comments.
 *
 * Processes are started in turns; the median of the differences and the fastest of each count.
 *
 * @module
 */
import { adam, compile, crossEntropyLoss, type Tensor, valueAndGrad } from "@cellgrad/cellgrad";
import { key, normal } from "@cellgrad/cellgrad/random";

const ROUNDS = 15;

/** How long a process takes to run a script, in milliseconds. */
async function timeScript(file: string): Promise<number> {
  const start = performance.now();
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", file],
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`${file} failed`);
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** A module, and what it imports when it is loaded. */
interface Module {
  specifier: string;
  dependencies?: { code?: { specifier: string }; isDynamic?: boolean }[];
}

async function runDeno(...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" })
    .output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

/** Modules without contents that import each other as those of the library do; how many they are. */
async function writeEmptyModules(folder: string): Promise<number> {
  const { modules } = JSON.parse(await runDeno("info", "--json", MOD)) as { modules: Module[] };
  const all = new Map(modules.map((module) => [module.specifier, module]));
  const names = new Map<string, string>();
  const visit = async (specifier: string): Promise<string> => {
    const known = names.get(specifier);
    if (known !== undefined) return known;
    const name = `./${names.size}.ts`;
    names.set(specifier, name);
    const loaded = all.get(specifier)!.dependencies ?? [];
    const imports: string[] = [];
    for (const { code, isDynamic } of loaded) {
      if (code !== undefined && !isDynamic) imports.push(await visit(code.specifier));
    }
    const text = imports.map((other) => `import "${other}";\n`).join("");
    await Deno.writeTextFile(`${folder}/${name}`, `${text}export {};\n`);
    return name;
  };
  await visit(MOD);
  return names.size;
}

const MOD = new URL("../mod.ts", import.meta.url).href;

/** What scripts add to an empty one: the median of the differences, and that of the fastest. */
async function timeImports(): Promise<[what: string, ms: string][]> {
  const folder = await Deno.makeTempDir();
  try {
    const modules = await writeEmptyModules(folder);
    await runDeno("bundle", MOD, "-o", `${folder}/bundle.js`);
    const scripts = {
      "importing mod.ts": MOD,
      [`its ${modules} modules without contents`]: "./0.ts",
      "its contents as one file": "./bundle.js",
    };
    const empty = `${folder}/empty.ts`;
    await Deno.writeTextFile(empty, "export {};\n");
    const files = [empty];
    for (const specifier of Object.values(scripts)) {
      files.push(`${folder}/script${files.length}.ts`);
      await Deno.writeTextFile(files.at(-1)!, `import "${specifier}";\n`);
    }
    for (const file of files) await timeScript(file); // Fills the caches.
    const times: number[][] = [];
    for (let i = 0; i < ROUNDS; i++) {
      times.push([]);
      for (const file of files) times.at(-1)!.push(await timeScript(file));
    }
    const fastest = (side: number) => Math.min(...times.map((turn) => turn[side]!));
    return Object.keys(scripts).map((what, i): [string, string] => {
      const middle = median(times.map((turn) => turn[i + 1]! - turn[0]!));
      return [what, `${middle.toFixed(1)} ms (${(fastest(i + 1) - fastest(0)).toFixed(1)} ms)`];
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

type Params = { w1: Tensor; b1: Tensor; w2: Tensor; b2: Tensor };

/** The first compilation in this process: 256 cells, 2000 → 128 → 20, with Adam. */
async function timeCompile(): Promise<number> {
  const optimizer = adam({ learningRate: 1e-3 });
  const shapes = { w1: [2000, 128], b1: [128], w2: [128, 20], b2: [20] };
  const params = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, normal(key(i), shape)]),
  ) as Params;
  const cells = normal(key(9), [256, 2000]);
  const labels = Int32Array.from({ length: 256 }, (_, i) => i % 20);
  const loss = ({ w1, b1, w2, b2 }: Params, x: Tensor) =>
    crossEntropyLoss(x.matmul(w1).add(b1).relu().matmul(w2).add(b2), labels);
  const state = optimizer.init(params);
  const step = (p: Params, s: typeof state, x: Tensor) => {
    const [value, gradient] = valueAndGrad(loss)(p, x);
    return { value, ...optimizer.update(gradient, s, p) };
  };
  const start = performance.now();
  await using _program = await compile(step, [params, state, cells]);
  return performance.now() - start;
}

const compiled = await timeCompile();
const added = await timeImports();
console.log(`added to an empty script, median of ${ROUNDS} (between the fastest):`);
for (const [what, ms] of added) console.log(`  ${what}: ${ms}`);
console.log(`the first compile of the MLP step takes ${compiled.toFixed(0)} ms`);
