/**
 * What does it cost to begin? The time that importing the library adds to an empty script, and the
 * first compilation of a training step of a network of two layers.
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

/** What importing adds: the median of the differences, and that of the fastest. */
async function timeImport(): Promise<{ median: number; fastest: number }> {
  const folder = await Deno.makeTempDir();
  try {
    const [empty, full] = [`${folder}/empty.ts`, `${folder}/full.ts`];
    await Deno.writeTextFile(empty, "export {};\n");
    await Deno.writeTextFile(full, `import "${new URL("../mod.ts", import.meta.url).href}";\n`);
    for (const file of [empty, full]) await timeScript(file); // Fills the caches.
    const times: [number, number][] = [];
    for (let i = 0; i < ROUNDS; i++) times.push([await timeScript(empty), await timeScript(full)]);
    const fastest = (side: 0 | 1) => Math.min(...times.map((pair) => pair[side]));
    return {
      median: median(times.map(([without, withIt]) => withIt - without)),
      fastest: fastest(1) - fastest(0),
    };
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
const imported = await timeImport();
console.log(
  `importing mod.ts adds ${
    imported.median.toFixed(1)
  } ms to an empty script (median of ${ROUNDS}; ` +
    `${imported.fastest.toFixed(1)} ms between the fastest)`,
);
console.log(`the first compile of the MLP step takes ${compiled.toFixed(0)} ms`);
