/**
 * What does PCA cost beside scikit-learn, and how much memory do 200,000 cells of a sparse file take,
 * also in the demo?
 *
 * `deno task bench:data pca 20000` runs both sides in turns on the same float32 values of 2,000 genes,
 * 50 components, one core each, and prints the processor's time: the least of three runs each.
 * `deno task bench:data file 200000` writes an .h5ad file of 2,000 genes, a tenth of them expressed, in
 * a process of its own, and prints the time and the peak memory of normalising, choosing genes and PCA.
 * `deno task bench:data sparse` compares `sparseMatmul` of batches with `matmul` of the dense ones.
 * `deno task bench:data demo 200000` prints those of `deno task demo` on the file of bench/loader.ts:
 * an epoch of each of two folds, or what else follows the number of cells (`--folds 5`).
 *
 * @module
 */
import process from "node:process";
import {
  add,
  compile,
  log1p,
  matmul,
  mul,
  sum,
  type Tensor,
  valueAndGrad,
  where,
} from "@cellgrad/cellgrad";
import {
  type BatchEntries,
  highlyVariableGenes,
  normalizeTotal,
  openAnnData,
  pca,
  sparse,
  sparseMatmul,
  writeNpy,
} from "@cellgrad/cellgrad/data";
import { key, normal, uniform } from "@cellgrad/cellgrad/random";
import { watchMemory } from "./watch_memory.ts";

const GENES = 2000;
const COMPONENTS = 50;
const ROUNDS = 3;
const PYTHON = "/usr/bin/python3";

/** Runs a Python script with one thread; gives what it prints. */
async function python(script: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(PYTHON, {
    args: ["-c", script, ...args],
    env: { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const PCA = `
import json, sys, time
import numpy as np
from sklearn.decomposition import PCA
x = np.load(sys.argv[1])
start = time.process_time()
found = PCA(int(sys.argv[2]), svd_solver="arpack", random_state=0).fit(x)
scores = found.transform(x)
seconds = time.process_time() - start
print(json.dumps({"seconds": seconds, "variances": found.explained_variance_.tolist()}))
`;

async function comparePca(cells: number, isNoise: boolean): Promise<void> {
  const noise = normal(key(0), [cells, GENES]);
  const groups = matmul(normal(key(1), [cells, 30]), normal(key(2), [30, GENES]));
  const x = isNoise ? noise : add(noise, groups.mul(0.5));
  const path = await Deno.makeTempFile({ suffix: ".npy" });
  try {
    await Deno.writeFile(path, writeNpy(x));
    const [ours, theirs]: number[][] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      const before = process.cpuUsage();
      const { explainedVariance } = pca(x, { components: COMPONENTS });
      const { user, system } = process.cpuUsage(before);
      ours!.push((user + system) / 1e6);
      const { seconds, variances } = JSON.parse(await python(PCA, path, `${COMPONENTS}`));
      theirs!.push(seconds);
      const deviation = Math.max(
        ...explainedVariance.map((v, c) => Math.abs(Math.sqrt(v / variances[c]) - 1)),
      );
      console.log(
        `round ${round}: ours ${ours!.at(-1)!.toFixed(2)} s, ` +
          `scikit-learn ${seconds.toFixed(2)} s, singular values differ by ${
            deviation.toExponential(1)
          }`,
      );
    }
    const [a, b] = [Math.min(...ours!), Math.min(...theirs!)];
    console.log(
      `${cells} × ${GENES}, ${isNoise ? "noise" : "30 directions"}: ${(b / a).toFixed(2)}×`,
    );
  } finally {
    await Deno.remove(path);
  }
}

const FILE = `
import sys
import h5py
import numpy as np
cells, genes = int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(0)
held = genes // 10
with h5py.File(sys.argv[1], "w") as file:
    file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
    x = file.create_group("X")
    x.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
    x.attrs["shape"] = np.array([cells, genes])
    x["indptr"] = np.arange(cells + 1) * held
    chunks = (held * 512,)
    data = x.create_dataset("data", (cells * held,), "f4", chunks=chunks)
    indices = x.create_dataset("indices", (cells * held,), "i4", chunks=chunks)
    means = rng.gamma(1, 3, genes)
    for start in range(0, cells, 1024):
        rows = min(1024, cells - start)
        columns = 10 * np.arange(held) + rng.integers(0, 10, (rows, held))
        group = (np.arange(start, start + rows) % 7)[:, None]
        counts = 1 + rng.poisson(means[columns] * (1 + (columns % 7 == group)))
        data[start * held:(start + rows) * held] = counts.ravel()
        indices[start * held:(start + rows) * held] = columns.ravel()
    for name, count in [("obs", cells), ("var", genes)]:
        frame = file.create_group(name)
        frame.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0"})
        frame.attrs["_index"] = "_index"
        frame.attrs["column-order"] = np.array([], "S1")
        index = frame.create_dataset("_index", data=[f"{i}" for i in range(count)])
        index.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
`;

async function measureFile(cells: number): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".h5ad" });
  try {
    await python(FILE, path, `${cells}`, `${GENES}`);
    const memory = await watchMemory();
    const start = performance.now();
    const say = (what: string) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${what}: ${seconds} s, ${(Deno.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);
    };
    await using file = await openAnnData(path);
    let x = await file.X.readSparse();
    say(`${x.nnz} entries of ${x.shape.join(" × ")} are read`);
    x = normalizeTotal(x);
    x = x.map(log1p);
    say("normalised");
    const { indices } = highlyVariableGenes(x, { top: 1000 });
    say(`${indices.length} genes chosen`);
    const { explainedVariance } = pca(x, { components: COMPONENTS });
    say(`${explainedVariance.length} components of all genes`);
    console.log(`peak: ${(await memory.peak() / 2 ** 20).toFixed(0)} MiB`);
  } finally {
    await Deno.remove(path);
  }
}

/** Value and gradient of a layer, compiled, with its zeros and without: the median of 15 calls each. */
async function compareSparse(
  cells: number,
  genes: number,
  units: number,
  share: number,
): Promise<void> {
  const values = uniform(key(0), [cells, genes]);
  const x = where(values.less(share), values, 0);
  const w = normal(key(1), [genes, units]);
  const g = normal(key(2), [cells, units]);
  const shape = [cells, genes] as const;
  const held = await compile(
    (x: BatchEntries, w: Tensor) =>
      valueAndGrad((w: Tensor) => sum(mul(sparseMatmul({ ...x, shape }, w), g)))(w),
    [sparse(x).parts(), w],
  );
  const dense = await compile(
    (x: Tensor, w: Tensor) => valueAndGrad((w: Tensor) => sum(mul(matmul(x, w), g)))(w),
    [x, w],
  );
  const parts = sparse(x).parts();
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < 15; round++) {
    for (const [side, run] of [() => held(parts, w), () => dense(x, w)].entries()) {
      const start = performance.now();
      await run();
      times[side]!.push(performance.now() - start);
    }
  }
  const [own, other] = times.map((all) => all.toSorted((a, b) => a - b)[7]!) as [number, number];
  console.log(
    `${cells} × ${genes} → ${units}, ${100 * share} % expressed: sparseMatmul ${
      own.toFixed(1)
    } ms, ` +
      `matmul ${other.toFixed(1)} ms, ${(other / own).toFixed(2)}×`,
  );
  await held.dispose();
  await dense.dispose();
}

/** Runs a command, and says what it took, its peak memory as the kernel has counted it. */
const RUN = `
import resource, subprocess, sys, time
start = time.time()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"{time.time() - start:.1f} s, peak: {peak:.0f} MiB")
`;

async function measureDemo(cells: string, options: readonly string[]): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/cells.h5ad`;
  const here = (file: string) => new URL(file, import.meta.url).pathname;
  try {
    const make = await new Deno.Command(PYTHON, {
      args: [here("./loader.py"), "make", path, cells, "csr"],
    }).output();
    if (!make.success) throw new Error(new TextDecoder().decode(make.stderr));
    const demo = [
      "run",
      "--no-prompt",
      "-RW",
      here("../examples/01_annotate.ts"),
      `--data=${path}`,
    ];
    const usual = ["--labels=type", "--epochs=1", "--folds=2", `--out=${folder}/out`];
    console.log((await python(RUN, Deno.execPath(), ...demo, ...usual, ...options)).trim());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const [what = "pca", cells = what === "pca" ? "20000" : "200000", ...more] = Deno.args;
if (what === "demo") await measureDemo(cells, more);
else if (what === "file") await measureFile(Number(cells));
else if (what === "sparse") {
  for (const share of [0.02, 0.05, 0.1, 0.2]) await compareSparse(512, 2000, 256, share);
  await compareSparse(256, 20000, 128, 0.05);
} else await comparePca(Number(cells), more[0] === "noise");
