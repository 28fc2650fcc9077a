/**
 * Programs: a function with an executable for every set of shapes and types that it is called with.
 *
 * @module
 */
import { describe } from "../describe.ts";
import type { Spec } from "../op.ts";
import { checkChoice, checkFunction, checkNumber, readOptions } from "../options.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { runBlocksBy } from "../trace.ts";
import { type Flat, flattenTree, outline, rebuildAll, type TensorTree } from "../tree.ts";
import type {
  CompileOptions,
  ExplainOptions,
  ProfileOptions,
  Program,
  ProgramArguments,
} from "./compile.ts";
import { CpuDevice, MAX_THREADS } from "../backends/cpu/mod.ts";
import type { Executable, ProgramDevice } from "../program/device.ts";
import type { Graph } from "../program/graph.ts";
import { explainPlan, planOfGraph } from "../program/explain.ts";
import { optimize, PASS_NAMES } from "../program/optimize.ts";
import { profile } from "../program/profile.ts";
import { record } from "../program/record.ts";
import { Buckets, cutOutputs, padLeaves } from "./buckets.ts";
import { runBlocks } from "./eager_blocks.ts";
import { type Specialization, Specializations } from "./specializations.ts";

/** See {@linkcode compile}. */
export async function makeProgram<Args extends unknown[], R>(
  f: (...args: Args) => R,
  exampleArgs: ProgramArguments<Args>,
  options: CompileOptions,
): Promise<Program<Args, R>> {
  runBlocksBy(runBlocks);
  checkFunction("compile", "f", f);
  checkArguments("compile", "exampleArgs", "an example of each argument", exampleArgs);
  const { device, own, donated, bucketed } = readSettings(options, exampleArgs.length);
  const specializations = new Specializations();
  let buckets: Buckets | undefined;
  const disposal = () => new TypeError("Cannot run the program as it has been disposed of");
  /** The branches of the example arguments. */
  let forms: readonly string[] | undefined;
  /** What a call is done by: the leaves of its arguments, and which are donated. */
  const find = (args: readonly unknown[]) => {
    if (specializations.isDisposed) throw disposal();
    checkCount(args.length, exampleArgs.length);
    const flats = args.map((arg, i) => flattenTree("the program", arg, `argument ${i}`));
    forms ??= flats.map(outline);
    const all = flats.flatMap((flat) => flat.leaves);
    const given = flats.flatMap((flat, i) => flat.leaves.map(() => donated[i]!));
    const rebuild = (values: readonly unknown[]) => rebuildAll(flats, values);
    const recordFor = (specs: readonly Spec[]) => recordFunction(f, specs, rebuild);
    if (bucketed) buckets ??= new Buckets(all);
    const padding = buckets?.find(signature(all, rebuild), all, (specs) => recordFor(specs).graph);
    const leaves = padding === undefined ? all : padLeaves(all, padding);
    const key = signature(leaves, rebuild);
    let used = specializations.get(key);
    if (used === undefined) {
      specializations.makeRoom();
      used = explainForms(flats, forms, () => {
        const { graph, rebuild } = recordFor(leaves);
        return { executable: prepareAny(graph, device), rebuild, uses: 0 };
      });
      specializations.add(key, used);
    }
    return { used, leaves, given, padding };
  };
  const dispose = () => {
    specializations.dispose();
    own?.dispose(disposal());
  };
  const { used: first } = find(exampleArgs as readonly unknown[]);
  await first.executable;
  specializations.release(first);
  await device.ready?.();
  return Object.assign(
    async (...args: ProgramArguments<Args>) => {
      const { used, leaves, given, padding } = find(args as readonly unknown[]);
      try {
        // What is there runs at once, before arguments may change.
        const waiting = device.ready?.();
        if (waiting !== undefined) await waiting;
        const { executable } = used;
        const ready = executable instanceof Promise ? await executable : executable;
        const results = await ready.run(leaves, given);
        return used.rebuild(padding ? cutOutputs(results, padding) : results) as TensorTree<R>;
      } finally {
        specializations.release(used);
      }
    },
    {
      explain: (options: ExplainOptions = {}) => {
        const { after } = readOptions("explain", options, { after: undefined });
        if (after === undefined) {
          return [specializations.explain(), ...buckets ? [buckets.explain()] : []].join("\n");
        }
        checkChoice("explain", "after", after, PASS_NAMES);
        const flats = exampleArgs.map((arg, i) => flattenTree("compile", arg, `argument ${i}`));
        const leaves = flats.flatMap((flat) => flat.leaves);
        const { graph } = recordFunction(f, leaves, (values) => rebuildAll(flats, values));
        return explainPlan(planOfGraph(optimize(graph, after), `graph after ${after}`));
      },
      sources: () => specializations.sources(),
      profile: async (args: ProgramArguments<Args>, options: ProfileOptions = {}) => {
        const { runs } = readOptions("profile", options, { runs: 10 });
        checkNumber("profile", "runs", runs, { integer: true, min: 1 });
        checkArguments("profile", "args", "each argument of the program", args);
        const { used, leaves } = find(args);
        try {
          return await profile(await used.executable, leaves, runs, () => device.ready?.());
        } finally {
          specializations.release(used);
        }
      },
      dispose,
      [Symbol.asyncDispose]: () => new Promise<void>((resolve) => resolve(dispose())),
    },
  );
}

function checkArguments(caller: string, argument: string, what: string, given: unknown): void {
  if (Array.isArray(given) && !given.includes(undefined)) return;
  throw new TypeError(
    `Cannot compute ${caller} as ${argument} must be an array with ${what}: ` +
      `current value is ${describe(given)}`,
  );
}

function checkCount(given: number, expected: number): void {
  if (given === expected) return;
  const why = given < expected
    ? `argument ${given} is missing`
    : `it takes nothing after argument ${expected - 1}`;
  throw new TypeError(
    `Cannot run the program as ${why}: current numbers of arguments are ${given} where it was ` +
      `compiled with ${expected}`,
  );
}

/** What the options say; `own` is the device where it is this program's own. */
function readSettings(options: CompileOptions, argumentCount: number) {
  const defaults = { device: "cpu", threads: 1, donate: false, shapes: "exact" } as const;
  const { device, threads, donate, shapes } = readOptions("compile", options, defaults);
  checkDevice(device, threads);
  checkChoice("compile", "shapes", shapes, ["exact", "bucket"]);
  if (threads !== "auto") {
    checkNumber("compile", "threads", threads, { integer: true, min: 1, max: MAX_THREADS });
  }
  const own = device === "cpu" ? new CpuDevice(threads) : undefined;
  return {
    device: own ?? device as ProgramDevice,
    own,
    donated: readDonated(donate, argumentCount),
    bucketed: shapes === "bucket" && own !== undefined,
  };
}

function checkDevice(device: unknown, threads: unknown): void {
  if (device === "cpu") return;
  if (typeof (device as Partial<ProgramDevice> | null)?.prepare !== "function") {
    throw new TypeError(
      `Cannot compute compile as device must be "cpu" or what await webgpu() returned: ` +
        `current value is ${typeof device === "string" ? device : describe(device)}`,
    );
  }
  if (threads === 1) return;
  throw new TypeError(
    `Cannot compute compile as threads are for device "cpu": current values are ` +
      `${String(threads)} threads and ${(device as ProgramDevice).name}`,
  );
}

/** For each argument, whether it is donated. */
function readDonated(donate: unknown, count: number): boolean[] {
  if (typeof donate === "boolean") return Array.from({ length: count }, () => donate);
  if (!Array.isArray(donate) || donate.findIndex((i) => !Number.isInteger(i)) >= 0) {
    throw new TypeError(
      `Cannot compute compile as donate must be true, false or positions of arguments: ` +
        `current value is ${describe(donate)}`,
    );
  }
  const outside = donate.find((i) => i < 0 || i >= count);
  if (outside !== undefined) {
    throw new RangeError(
      `Cannot compute compile as donate must hold positions in [0, ${count - 1}]: ` +
        `current value is ${outside}`,
    );
  }
  return Array.from({ length: count }, (_, i) => donate.includes(i));
}

/** What `f` returns; where it throws and an argument has other branches than its example, says so. */
function explainForms<T>(flats: readonly Flat[], forms: readonly string[], f: () => T): T {
  try {
    return f();
  } catch (cause) {
    const at = flats.findIndex((flat, i) => outline(flat) !== forms[i]);
    if (at < 0) throw cause;
    throw new TypeError(
      `Cannot run the program as argument ${at} must have the branches that it was compiled with: ` +
        `current values are ${outline(flats[at]!)} where it was ${forms[at]}`,
      { cause },
    );
  }
}

/** Shapes, types and branches of the arguments as text. */
function signature(leaves: readonly Tensor[], rebuild: (l: readonly unknown[]) => unknown): string {
  const specs = leaves.map(({ shape, dtype }) => `${dtype}${formatShape(shape)}`);
  return JSON.stringify(rebuild(specs));
}

/** What a function does to arguments of some shapes, and its result from tensors. */
function recordFunction(
  // deno-lint-ignore no-explicit-any -- of any arguments
  f: (...args: any[]) => unknown,
  specs: readonly Spec[],
  rebuildArguments: (leaves: readonly unknown[]) => unknown[],
) {
  let rebuild: Specialization["rebuild"] = () => undefined;
  const graph = record(specs, (inputs) => {
    const result = f(...rebuildArguments(inputs));
    const flat = flattenTree("compile", result, "the function's result");
    rebuild = flat.rebuild;
    return flat.leaves;
  });
  return { graph, rebuild };
}

/** Makes a graph ready to run, or says that it is too long for the engine's stack. */
function prepareAny(graph: Graph, device: ProgramDevice): Executable | Promise<Executable> {
  const explain = (cause: unknown): never => {
    if (!/call stack|recursion/.test((cause as Partial<Error> | null)?.message ?? "")) throw cause;
    throw new RangeError(
      `Cannot compile the program as its chain of steps is longer than the engine's stack allows: ` +
        `current number of steps is ${graph.steps.length}; compile it in parts`,
      { cause },
    );
  };
  try {
    const made = device.prepare(optimize(graph));
    return made instanceof Promise ? made.catch(explain) : made;
  } catch (error) {
    return explain(error);
  }
}
