/**
 * Has anything become slower? Compares what `deno bench --json` wrote with a stored baseline of the
 * same processor, by the ratio of the fastest calls: means and medians swing with the machine's load.
 *
 * @module
 */
import { runProgram, UsageError } from "../examples/lib/arguments.ts";
import { MISSING } from "../examples/lib/format.ts";
import { textTable } from "../examples/lib/table.ts";

/** What is kept of a run. */
export interface Baseline {
  /** The processor, as Deno names it. */
  cpu: string;
  /** The runtime. */
  runtime: string;
  /** The fastest call of each bench, in nanoseconds. */
  min: Record<string, number>;
}

/** One bench, then and now. */
export interface Comparison {
  /** The bench. */
  name: string;
  /** Nanoseconds in the baseline; `undefined` for a new bench. */
  before: number | undefined;
  /** Nanoseconds now; `undefined` for a bench that is gone or failed. */
  now: number | undefined;
  /** Whether it is slower by more than the limit. */
  slower: boolean;
}

/** What `deno bench --json` writes, as far as it is read here. */
interface BenchReport {
  cpu: string;
  runtime: string;
  benches: {
    group: string | null;
    name: string;
    results: { ok?: { min: number } }[];
  }[];
}

/**
 * What is to be kept of the output of `deno bench --json`.
 *
 * @param text The output.
 * @returns The fastest calls; benches that failed are left out.
 * @throws {SyntaxError} If the text is something else.
 */
export function readResults(text: string): Baseline {
  const { cpu, runtime, benches } = JSON.parse(text) as Partial<BenchReport>;
  if (cpu === undefined || runtime === undefined || !Array.isArray(benches)) {
    throw new SyntaxError(
      "Cannot read the results as they must be what deno bench --json writes: " +
        "cpu, runtime or benches is missing",
    );
  }
  const found = benches.flatMap(({ group, name, results }): [string, number][] => {
    const min = results[0]?.ok?.min;
    const title = group === null || name.startsWith(group) ? name : `${group}: ${name}`;
    return min === undefined ? [] : [[title, Number(min.toPrecision(4))]];
  });
  return { cpu, runtime, min: Object.fromEntries(found) };
}

/**
 * Compares a run with a baseline.
 *
 * @param before The baseline.
 * @param now The run.
 * @param limit The ratio of times above which a bench counts as slower.
 * @returns A comparison per bench of either: those of the run first.
 */
export function compareResults(before: Baseline, now: Baseline, limit: number): Comparison[] {
  const names = new Set([...Object.keys(now.min), ...Object.keys(before.min)]);
  return [...names].map((name) => {
    const [then, today] = [before.min[name], now.min[name]];
    const slower = then !== undefined && today !== undefined && today / then > limit;
    return { name, before: then, now: today, slower };
  });
}

/** The comparisons as a table, times in microseconds. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  const time = (ns: number) => ns >= 1e5 ? (ns / 1000).toFixed(0) : (ns / 1000).toPrecision(3);
  const rows = comparisons.map(({ name, before, now, slower }) => {
    if (before === undefined) return [name, MISSING, time(now!), MISSING, "new"];
    if (now === undefined) return [name, time(before), MISSING, MISSING, "gone"];
    const ratio = now / before;
    return [name, time(before), time(now), ratio.toFixed(2), slower ? "slower" : ""];
  });
  return textTable(["bench", "before, µs", "now, µs", "ratio", ""], rows);
}

const FOLDER = new URL("./baselines/", import.meta.url);

function storedBaselines(): { name: string; baseline: Baseline }[] {
  return [...Deno.readDirSync(FOLDER)]
    .filter(({ name }) => name.endsWith(".json"))
    .map(({ name }) => ({
      name: name.slice(0, -".json".length),
      baseline: JSON.parse(Deno.readTextFileSync(new URL(name, FOLDER))) as Baseline,
    }));
}

const PROGRAM = {
  command: "deno task bench:compare",
  summary:
    "Compares out/bench.json, which deno task bench:json writes, with the baseline of the\n" +
    "same processor in bench/baselines.",
  options: {
    results: { kind: "string", default: "out/bench.json", placeholder: "FILE", help: "The run" },
    limit: { kind: "number", default: 1.3, above: 1, help: "The ratio that counts as slower" },
    save: { kind: "string", placeholder: "NAME", help: "Keep the run as a baseline of this name" },
  },
} as const;

function main({ results, limit, save }: {
  results: string;
  limit: number;
  save: string | undefined;
}): number {
  const now = readResults(readText(results));
  if (save !== undefined) {
    const text = JSON.stringify(now, null, 2) + "\n";
    Deno.writeTextFileSync(new URL(`${encodeURIComponent(save)}.json`, FOLDER), text);
    return 0;
  }
  const stored = storedBaselines();
  const match = stored.find(({ baseline }) => baseline.cpu === now.cpu);
  if (match === undefined) {
    const others = stored.map(({ baseline }) => baseline.cpu).join(", ") || "none";
    console.log(`Nothing to compare with: no baseline for ${now.cpu}, only for ${others}`);
    return 0;
  }
  const comparisons = compareResults(match.baseline, now, limit);
  console.log(`Baseline ${match.name}: ${match.baseline.cpu}, ${match.baseline.runtime}\n`);
  console.log(comparisonTable(comparisons));
  const slower = comparisons.filter((comparison) => comparison.slower).length;
  if (slower > 0) console.log(`\n${slower} of ${comparisons.length} slower than ${limit} times`);
  return slower === 0 ? 0 : 1;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(`There is no file ${path}: run deno task bench:json first`);
  }
}

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);
