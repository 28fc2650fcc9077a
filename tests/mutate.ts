/**
 * Would the tests notice? Spoils every gradient rule and every loss formula in turn (drops a factor,
 * a term, a check or a branch; changes a sign, a number, an axis or a default) and runs the tests
 * that should fail.
 *
 * `deno task mutate` goes through all of them; `deno task mutate focal dice` through the files whose path
 * contains one of these. A mutant that no test notices is printed and makes the status 1, unless
 * `EQUIVALENT` says why it computes the same. One with which tests do not end is printed, too: it may
 * go on for ever, or the machine may be busy.
 *
 * @module
 */
import { type Mutant, mutantsOf, withHelper } from "./mutants.ts";

const NOT_COUNTED = "what does not count is selected away later, and need only be finite";
const SHORTCUT = "all neighbours, sorted or not, are the same: not to sort them saves work";
const IN_BLOCKS = "at once or in blocks, derivatives are the same: blocks save memory";
const OTHER_WAY = "powers and exponentials are the same kernels: powers save time";
const ALL_OF_IT = "what begins at 0 is the whole: not to cut it saves work";
const ERODED = "where all is eroded, to erode once more changes nothing";
const BEYOND = "any distance beyond all others will do";
const WAY_DOWN = "any way down to ε leads to the solution; they differ in the turns that it takes";
const SOLVED = "conjugate gradients have found the solution before";
const UNFIT =
  "scalings somewhat out of range are right, and where any do not fit, logarithms do the same";
const WHERE_NEAR = "wherever scalings begin, they and logarithms lead to the solution";
const FURTHER = "of a limit further down, one halving more leads as far: there are eight to spare";
const HALVED = "more halvings than there are digits change nothing";
const CENTRED = "one centred factor is enough for the sum: both keep its digits";
const CLOSE = "both forms are exact where the two are close";

/** Mutants that compute the same: by file, what lines become, and the reason. */
const EQUIVALENT: Record<string, Record<string, string>> = {
  "src/losses/bandwidths.ts": {
    "const middle = smallest(pairwiseSquaredDistance(cells), places);": IN_BLOCKS,
    "const middle = findSmallest(cells, places, largest);": IN_BLOCKS,
    "return quantile(reshape(squares, [-1]), places.map((place) => (place + 0) / last));":
      "a value and its twin are the same: half way between them, rounding does no harm",
    "const digits = 53;": HALVED,
    'const digits = dtype === "float32" ? 24 : 106;': HALVED,
    "const lower = mul(upper, 4 ** (-2 * digits));": FURTHER,
    "const lower = mul(upper, 2 ** (-4 * digits));": FURTHER,
    'const digits = dtype === "float32" ? 48 : 53;': HALVED,
  },
  "src/losses/coral.ts": {
    "if (false) {": "without weights shares are the same: to divide by n − 1 saves work",
  },
  "src/losses/cox.ts": {
    "const h = given.size === 0 ? given : where(isAtRisk(t, happened), given, 1);": NOT_COUNTED,
  },
  "src/losses/hsic.ts": {
    "const together = mul(cgAsTensor(k), sub(l, expandDims(ofL, 1)));": CENTRED,
    "const together = mul(cgAsTensor(k).add(expandDims(ofK, 1)), sub(l, expandDims(ofL, 1)));":
      CENTRED,
    "const together = mul(sub(k, expandDims(ofK, 1)), cgAsTensor(l));": CENTRED,
    "const together = mul(sub(k, expandDims(ofK, 1)), cgAsTensor(l).add(expandDims(ofL, 1)));":
      CENTRED,
    'const shares = readMasses("hsic", { x: cells[0] }, { weights });':
      "without weights shares are the same: not to multiply by them saves work",
  },
  "src/losses/energy_distance.ts": {
    "return where(none, 0, sqrt(where(none, 0, energy)));": NOT_COUNTED,
  },
  "src/losses/class_targets.ts": {
    "const from = (x: Tensor) => slice(x, [0, first]);": ALL_OF_IT,
  },
  "src/losses/overlap.ts": {
    "...(countShares)(shares, squared),":
      "labels are shares of 0 and 1: to select by them saves work",
    "falsePositives: sum(where(own, sub(size, q), size), { axis }),":
      "without squares both are the same: not to subtract saves work",
  },
  "src/losses/cross_entropy.ts": {
    "const parts = partOf(add(mul(shares, 1 - smoothing), smoothing / logits.shape[1]!), all);":
      "to smooth by 0 changes nothing: not to smooth saves work",
  },
  "src/losses/focal_terms.ts": {
    "const from = (x: Tensor) => slice(x, [0, first]);": ALL_OF_IT,
  },
  "src/losses/barlow_twins.ts": {
    "const others = transpose(second);": "products of a matrix with itself take half the work",
  },
  "src/losses/asymmetric.ts": {
    "const likely = cgAsTensor(z).greaterEqual(0);": CLOSE,
    "const likely = greater(z, 1);": CLOSE,
    "const few = log1p(neg(where(likely, 0, counted)));": NOT_COUNTED,
  },
  "src/losses/distance_field.ts": {
    "const far = space.reduce((sum, n) => sum + n, 1);": BEYOND,
    "return where(cgAsTensor(found).lessEqual(far ** 2), found, 0);": BEYOND,
    "const none = full([], -4 * far, { dtype });": BEYOND,
    "n * 2,": IN_BLOCKS,
    "n ** 4,": IN_BLOCKS,
  },
  "src/losses/matthews.ts": {
    "const among = (x: Tensor, chosen: Tensor) => cgAsTensor(mul(x, chosen)).mean({ axis: 1 });":
      "a correlation is the same for counts of any scale",
  },
  "src/losses/cells.ts": {
    "const [total, count] = split(cgAsTensor(sums).mean({ axis: 0 }), 2) as [Tensor, Tensor];":
      "means have the ratio of sums",
  },
  "src/losses/class_logits.ts": {
    "logits: where(expandDims(keep, 1), scores, 1),": NOT_COUNTED,
    "labels: where(keep, whole, 1),": NOT_COUNTED,
  },
  "src/losses/masked_voxel.ts": {
    "const safe = { ...read, logits: where(expandDims(selected, 1), read.logits, 1) };":
      NOT_COUNTED,
  },
  "src/losses/kernels.ts": {
    "for (const width of widths.toSorted((a, b) => b + a)) {": OTHER_WAY,
    "known.set(width, { kernel: exp(mul(lengths, factor)), squared: 1 });": OTHER_WAY,
    "return apply(batchMeansOp, [x, shares], params);": IN_BLOCKS,
    "return pairMeans(x, shares, params);": IN_BLOCKS,
  },
  "src/losses/mmd.ts": {
    "const own = sum(mul(means, eye(means.shape[0]!, { dtype: means.dtype })), { axis: 0 });":
      "the matrix is diagonal",
    "return sub(add(expandDims(within, 0), within), mul(means, 2));":
      "only the sum over all pairs counts, and each pair comes with its mirror image",
  },
  "src/losses/soft_skeleton.ts": {
    "const most = images.shape.slice(2).reduce((sum, n) => sum + n + 1, 0);": ERODED,
    "const most = images.shape.slice(2).reduce((sum, n) => sum + n - 0, 0);": ERODED,
    "const most = images.shape.slice(2).reduce((sum, n) => sum + n - 1, 1);": ERODED,
  },
  "src/losses/sinkhorn.ts": {
    "const rho = reach === undefined ? undefined : Math.min(Math.max(reach ** p, 1e-30), 2e+30);":
      "any limit will do that float32 holds with the costs",
  },
  "src/losses/sinkhorn_iteration.ts": {
    "const NEAR = 8;": WHERE_NEAR,
    "const [FIRST, LESS] = [1 / 600, 2 / 3];": WAY_DOWN,
    "const [FIRST, LESS] = [1 / 300, 2 / 6];": WAY_DOWN,
    "epsilon: mul(largestCost(x, y, p), FIRST * LESS),": WAY_DOWN,
    "const RANGE = 40;": "float32 holds these, too",
    "const costs = costsOf(x, y, p);": IN_BLOCKS,
    "const costs = undefined;": IN_BLOCKS,
    "const turned = costs && (transpose(costs));": "costs of a cloud and itself are symmetric",
    "change: tensor(2e+30, { dtype }),": "any change above the tolerance will do",
    "const enough = tolerance;": WHERE_NEAR,
    "const isOver = logicalOr(greater(state.epsilon, epsilon), cgAsTensor(state.change).greaterEqual(enough));":
      "it ends a turn later, where a change is the tolerance itself",
    "cgAsTensor(last.epsilon).greaterEqual(epsilon),": WHERE_NEAR,
    "return (other) => sub(lag, mul(log(sum(mul(kernel, cgAsTensor(other)), { axis: 1 })), damping));":
      UNFIT,
    "const toF = replyOf(kernelOf(turned!, g, f, a, epsilon), g);":
      "of one cloud, both are the same",
    "const fits = cgAsTensor(maximum(max(abs(moved.f)), max(abs(moved.g)))).less(RANGE);": UNFIT,
    "const fits = cgAsTensor(maximum(max(abs(moved.f)), max(abs(moved.g)))).greaterEqual(RANGE);":
      UNFIT,
    "const fits = lessEqual(cgAsTensor(max(abs(moved.f))), RANGE);": UNFIT,
    "const fits = lessEqual(cgAsTensor(max(abs(moved.g))), RANGE);": UNFIT,
    "const fits = lessEqual(cgAsTensor(max(abs(moved.f))).minimum(max(abs(moved.g))), RANGE);":
      UNFIT,
    "const fits = lessEqual(maximum(cgAsTensor(abs(moved.f)).min(), max(abs(moved.g))), RANGE);":
      UNFIT,
    "const fits = lessEqual(maximum(max(cgAsTensor(moved.f)), max(abs(moved.g))), RANGE);": UNFIT,
    "const fits = lessEqual(maximum(max(abs(moved.f)), cgAsTensor(abs(moved.g)).min()), RANGE);":
      UNFIT,
    "const fits = lessEqual(maximum(max(abs(moved.f)), max(cgAsTensor(moved.g))), RANGE);": UNFIT,
    "u: cgAsTensor(moved.f),": UNFIT,
    "v: cgAsTensor(moved.g),": UNFIT,
    "turns: cgAsTensor(add(last.turns, 1)),": UNFIT,
    "change: cgAsTensor(mul(moved.change, epsilon)),": UNFIT,
    "cgAsTensor(last.change).less(NEAR * transport.epsilon),": WHERE_NEAR,
    "lessEqual(last.change, NEAR / transport.epsilon),": WHERE_NEAR,
    "const enough = costs ? Math.min(tolerance, NEAR * transport.epsilon) : tolerance;": WHERE_NEAR,
    "const enough = costs ? Math.max(tolerance, NEAR / transport.epsilon) : tolerance;": WHERE_NEAR,
  },
  "src/losses/sinkhorn_pairs.ts": {
    "return where(same, 0, div(pow(apart, p / 2), p));": "roots are powers: they save time",
    "return where(same, 0, div(p === 0 ? sqrt(apart) : pow(apart, p / 2), p));":
      "roots are powers: they save time",
    "const NOTHING = -2e+30;": "no exponential of either is above 0",
    "if (false) return minimum(costs, levels, epsilon);": "costs that are held save time",
    "return cgAsTensor(div(sub(add(expandDims(own, 1), levels), costs), epsilon));": UNFIT,
  },
  "src/losses/sinkhorn_transport.ts": {
    "return add(charges, mul(sum(others), epsilon));":
      "what all units are charged goes as weights are divided by their sum; it costs digits",
    "const scaled = cgAsTensor(rest);": SOLVED,
    "turns: cgAsTensor(turns),": SOLVED,
    "turns: cgAsTensor(turns).sub(1),": SOLVED,
    "turns: add(turns, 0),": SOLVED,
    "const LEAST = { float32: 0, float64: 1e-26 };": SOLVED,
    "const LEAST = { float32: 1e-12, float64: 0 };": SOLVED,
    "const MOST = 1000;": SOLVED,
    'const least = cgAsTensor(LEAST[dtype as "float32" | "float64"]);': SOLVED,
    "const goesOn = ({ size, turns }: State) => logicalAnd(cgAsTensor(size).greaterEqual(least), less(turns, MOST));":
      SOLVED,
    "const goesOn = ({ size, turns }: State) => logicalAnd(greater(size, least), cgAsTensor(turns).lessEqual(MOST));":
      SOLVED,
  },
  "src/losses/wasserstein.ts": {
    "if (false) return x;": "a power of 1 is the same: it saves time",
    "if (exponent === 0) return x;": "a power of 1 is the same: it saves time",
  },
  "src/losses/neg_log_bernoulli.ts": {
    "const kept = clip(where(selected, p, 0), limit, 1 - limit);": NOT_COUNTED,
    "const y = isExpressed(where(selected, t, 1));": NOT_COUNTED,
    "const against = mul(where(selected, z, 1), sub(1, mul(y, 2)));": NOT_COUNTED,
  },
  "src/losses/batch_mixing.ts": {
    "const beyond = cgAsTensor(add(mul(max(squared, ROWS), 2), 1));":
      "a cell is never among its neighbours, so no gradient comes here: stopGradient saves work",
    "const beyond = stopGradient(add(mul(max(squared, ROWS), 4), 1));": BEYOND,
    "const nearest = cgAsTensor(min(distances, ROWS));":
      "the nearest distance cancels where weights are divided by their sum",
    "if (false) return matmul(div(all, mul(total, 1 + TINY)), batches);": SHORTCUT,
    "if (neighbours === cells.shape[0]! + 1) return matmul(div(all, mul(total, 1 + TINY)), batches);":
      SHORTCUT,
    "if (neighbours === cells.shape[0]! - 0) return matmul(div(all, mul(total, 1 + TINY)), batches);":
      SHORTCUT,
  },
  "src/losses/proxy_anchor.ts": {
    "return logSumExp(where(counts, x, -2e+30), { axis: 0 });": "the exponential of either is 0",
  },
  "src/losses/supervised_contrastive.ts": {
    'const top = constantMax(where(others, similarity, -4 / temperature), 1, "max");':
      "both are below every similarity",
    "const shifted = where(others, sub(similarity, top), 1);": NOT_COUNTED,
  },
  "src/losses/triplet.ts": {
    "const FAR = 6e+38;": "both are beyond every distance",
  },
  "src/losses/evidential.ts": {
    "const FROM = 16;": CLOSE,
    "const isSmall = cgAsTensor(alpha).lessEqual(FROM);": CLOSE,
  },
  "src/losses/log_add.ts": {
    "const isFirst = cgAsTensor(sub(a, b)).greaterEqual(0);": CLOSE,
    "const isFirst = greater(sub(a, b), 1);": CLOSE,
  },
  "src/losses/negative_binomial_mixture.ts": {
    "const isSmall = cgAsTensor(maximum(a, b)).lessEqual(0.5);": CLOSE,
    "const lost = (x: Tensor) => expm1(neg(where(isSmall, x, 1)));": NOT_COUNTED,
  },
  "src/losses/scanvi_parts.ts": {
    "const own = oneHot(where(isKnown, whole, 1), count, { dtype: logits.dtype });": NOT_COUNTED,
  },
  "src/losses/zinb.ts": {
    "const small = cgAsTensor(t).lessEqual(0.5);": CLOSE,
    "const lost = mul(sigmoid(neg(piLogit)), expm1(neg(where(small, t, 1))));": NOT_COUNTED,
  },
};

const ROOT = new URL("../", import.meta.url).pathname;
const COPIED = ["deno.json", "deno.lock", "mod.ts", "src", "kernels", "tests"];
const WORKERS = Math.max(1, navigator.hardwareConcurrency);

/** When tests count as endless: those of a file, and those of all losses or operations. */
const [LIMIT_MS, ALL_LIMIT_MS] = [120_000, 1_200_000];

/** What tests that do not end leave: no failure was seen. */
const ENDLESS = "the tests did not end";

/** The tests of all losses. */
const ALL = ["tests/losses"];

/** The tests of what functions refuse, whatever they compute. */
const REFUSALS = ["tests/misuse/refusal_test.ts", "tests/ranges_test.ts"];

/** The tests that should notice a change of a file, the likeliest first. */
function testsOf(file: string, source: string): string[][] {
  if (!file.startsWith("src/losses/")) return [["tests/ops"], REFUSALS];
  const all = [...Deno.readDirSync(`${ROOT}tests/losses`)].map(({ name }) =>
    `tests/losses/${name}`
  );
  const testsNamed = (files: readonly string[]) =>
    all.filter((test) => files.some((name) => test === `tests/losses/${name}_test.ts`));
  const name = file.replace("src/losses/", "").replace(".ts", "");
  const own = testsNamed([name]);
  if (own.length > 0) return [own, REFUSALS, ALL];
  const users = [...Deno.readDirSync(`${ROOT}src/losses`)]
    .filter((other) =>
      Deno.readTextFileSync(`${ROOT}src/losses/${other.name}`).includes(`"./${name}.ts"`)
    )
    .map((other) => other.name.replace(".ts", ""));
  const ofUsers = testsNamed(users);
  if (ofUsers.length > 0) return [ofUsers, REFUSALS, ALL];
  const exported = [...source.matchAll(/^export function (\w+)/gm)].map(([, name]) => name!);
  const about = all.filter((test) => {
    const text = Deno.readTextFileSync(ROOT + test);
    return exported.some((name) => text.includes(name));
  });
  return about.length > 0 ? [about, REFUSALS, ALL] : [REFUSALS, ALL];
}

/** A copy of the project in which files can be spoiled, with the tests that pass there. */
class Copy {
  readonly #folder: string = Deno.makeTempDirSync({ prefix: "mutate" });

  async make(sources: ReadonlyMap<string, string>): Promise<void> {
    for (const part of COPIED) await copy(ROOT + part, `${this.#folder}/${part}`);
    for (const [file, source] of sources) await this.#write(file, withHelper(file, source));
  }

  /** Throws if tests fail though nothing is spoiled. */
  async check(): Promise<void> {
    const failure = await this.#failure(["tests/ops", "tests/losses"], ALL_LIMIT_MS);
    if (failure !== null) throw new Error(`Tests fail though nothing is spoiled:\n${failure}`);
  }

  /** How the tests notice a change: by a wrong value or by an error, or as they do not end. */
  async notice(
    { file, source }: Mutant,
    original: string,
  ): Promise<"value" | "error" | "endless" | "missed"> {
    await this.#write(file, withHelper(file, source));
    let failure: string | null = null;
    for (const tests of testsOf(file, original)) {
      failure ??= await this.#failure(tests, tests === ALL ? ALL_LIMIT_MS : LIMIT_MS);
    }
    await this.#write(file, withHelper(file, original));
    return failure === null
      ? "missed"
      : failure === ENDLESS
      ? "endless"
      : /^error: (Assertion)?Error:/m.test(failure)
      ? "value"
      : "error";
  }

  /** What tests print, if one fails or does not end. */
  async #failure(tests: string[], limit = LIMIT_MS): Promise<string | null> {
    const { success, stdout, signal } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-check", "--fail-fast", "--quiet", "--allow-read", ...tests],
      cwd: this.#folder,
      env: { NO_COLOR: "1" },
      stderr: "null",
      signal: AbortSignal.timeout(limit),
    }).output();
    if (success) return null;
    return signal === null ? new TextDecoder().decode(stdout) : ENDLESS;
  }

  #write(file: string, source: string): Promise<void> {
    return Deno.writeTextFile(`${this.#folder}/${file}`, source);
  }

  async remove(): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function copy(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

/** The files with gradient rules and loss formulas. */
async function readSources(): Promise<Map<string, string>> {
  const files = ["src/transforms/backward.ts"];
  for (const folder of ["src/ops", "src/losses"]) {
    for await (const { name } of Deno.readDir(ROOT + folder)) files.push(`${folder}/${name}`);
  }
  return new Map(files.sort().map((file) => [file, Deno.readTextFileSync(ROOT + file)]));
}

/** Throws if `EQUIVALENT` excuses what is no mutant any more. */
function checkExcuses(filters: readonly string[], mutants: readonly Mutant[]): void {
  for (const [file, excuses] of Object.entries(EQUIVALENT)) {
    if (!isChosen(file, filters)) continue;
    const found = new Set(mutants.filter((m) => m.file === file).map(({ after }) => after));
    const stale = Object.keys(excuses).find((after) => !found.has(after));
    if (stale !== undefined) throw new Error(`There is no such mutant of ${file}: ${stale}`);
  }
}

function isChosen(file: string, filters: readonly string[]): boolean {
  return filters.length === 0 || filters.some((filter) => file.includes(filter));
}

async function main(filters: readonly string[]): Promise<number> {
  const sources = await readSources();
  const chosen = [...sources].filter(([file]) => isChosen(file, filters));
  if (chosen.length === 0) {
    throw new Error(`There is no file whose path contains any of ${filters.join(", ")}`);
  }
  const queue = chosen.flatMap(([file, source]) => mutantsOf(file, source));
  checkExcuses(filters, queue);
  const count = { all: queue.length, value: 0, error: 0, endless: 0, same: 0, missed: 0 };
  let checked: Promise<void> | undefined;
  const work = async () => {
    const project = new Copy();
    try {
      await project.make(sources);
      await (checked ??= project.check());
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const noticed = EQUIVALENT[mutant.file]?.[mutant.after] !== undefined
          ? "same"
          : await project.notice(mutant, sources.get(mutant.file)!);
        if (noticed === "missed" || noticed === "endless") {
          console.log(
            `${
              noticed === "missed" ? "NOT NOTICED" : "DID NOT END"
            } ${mutant.file}:${mutant.line}\n  ${mutant.before}\n  ${mutant.after}`,
          );
        }
        count[noticed]++;
      }
    } finally {
      await project.remove();
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  console.log(
    `${count.all} mutants: ${count.value} noticed by a wrong value, ${count.error} by an error, ` +
      `${count.endless} as tests did not end, ${count.same} compute the same, ${count.missed} not noticed`,
  );
  return count.missed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
