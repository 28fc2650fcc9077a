/**
 * `compile`: a function of tensors as a program that runs without recording anything again.
 *
 * @module
 */
import type { Spec } from "../op.ts";
import { checkNumber, readOptions } from "../options.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { flattenTree, type LikeTree, rebuildAll, type TensorTree } from "../tree.ts";
import { CpuExecutable } from "./cpu.ts";
import type { Executable, ProgramDevice } from "./device.ts";
import { explainProgram } from "./explain.ts";
import type { Graph } from "./graph.ts";
import { comparePositions } from "./passes/compare_positions.ts";
import { dropDeadSteps } from "./passes/dead.ts";
import { foldConstants } from "./passes/fold.ts";
import { optimizeRowLoops } from "./passes/row_blocks.ts";
import { shareEqualSteps } from "./passes/share.ts";
import { simplifySteps } from "./passes/simplify.ts";
import { readTransposedOperands } from "./passes/transposed_matmul.ts";
import { record } from "./record.ts";
import { explainThreads, MAX_THREADS, Team } from "./threads.ts";

/** Where a program runs: `"cpu"`, or what `await webgpu()` returned. */
export type Device = "cpu" | ProgramDevice;

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /** Where the program runs: `"cpu"`, by default, or what `await webgpu()` returned. */
  device?: Device | undefined;
  /** How many threads share the larger steps on the CPU; 1 by default. */
  threads?: number | undefined;
  /**
   * Arguments that are not needed after the call, `true` for all or their positions: tensors of
   * these that are on the device give their memory back, and throw when used again. None by default.
   */
  donate?: boolean | readonly number[] | undefined;
}

/** The arguments of a program: anything that becomes a tensor, wherever the examples have one. */
export type ProgramArguments<Args extends readonly unknown[]> = {
  [I in keyof Args]: LikeTree<Args[I]>;
};

/** A compiled function: call it, look into it by `explain()`, free it by `await using`. */
export interface Program<Args extends readonly unknown[], R> extends AsyncDisposable {
  /** Runs the program. Other shapes or types than before are compiled at their first call. */
  (...args: ProgramArguments<Args>): Promise<TensorTree<R>>;
  /** The plan as text: where each step runs, shapes, cost, kernels, constants, memory. */
  explain(): string;
  /** Frees the program's memory and ends its threads; calls after that throw. */
  dispose(): void;
}

/** A program for arguments of certain shapes and types. */
interface Specialization {
  executable: Executable | Promise<Executable>;
  rebuild: (leaves: readonly unknown[]) => unknown;
}

/** Makes a graph ready to run. */
type Prepare = (graph: Graph) => Executable | Promise<Executable>;

/**
 * Compiles a function for repeated use: it is recorded once, simplified, and then run as a plan
 * without tapes, shape rules or garbage. A whole training step, gradients and optimizer included,
 * compiles as one program.
 *
 * What the function sees as arguments is live, numbers among them; everything that it closes over is
 * a constant (`explain()` lists the constants). A call with other shapes or types than the examples
 * is recorded and compiled at its first occurrence, and kept. The function must not read values
 * (`item`, `data`) of its arguments, and must be pure: it is run once per set of shapes.
 *
 * With `threads`, large steps are shared between that many threads (`explain()` lists what they
 * make), to the same bits. All shapes have their threads in common; threads that were not needed for
 * two seconds end, and start anew at the next call. Browsers share memory only on pages that are
 * served with the headers `Cross-Origin-Opener-Policy: same-origin` and
 * `Cross-Origin-Embedder-Policy: require-corp`, and need `worker-src blob:` in a content security
 * policy; as their main thread must not sleep, it waits for the others by looking, so a worker of
 * your own is the better place for long programs.
 *
 * On a WebGPU device everything of a call is one submission, and what is returned stays there:
 * passing it on to another call costs no transfer, `await t.read()` copies it out, all reads that are
 * asked for at once in one go. Arguments that come from the host are copied at each call; `gpu.put`
 * copies them once. With `donate`, a training step gives the memory of the old parameters back at
 * once; without, it waits for the garbage collector. Labels and masks that come from the host are
 * checked before anything runs; those from the device are checked there, and what is wrong with them
 * is told by the next read, of whatever tensor.
 *
 * @param f The function; it takes and returns tensors, or arrays and plain objects of them.
 * @param exampleArgs Arguments of the shapes and types to expect; their values do not matter.
 * @param options `device`, `"cpu"` by default; `threads`, 1 by default; `donate`, none by default.
 * @returns The program.
 * @throws {TypeError} If the function reads values of its arguments, or does not return tensors; or
 * if there are to be several threads where none can share memory, or on a WebGPU device; if there is
 * float64 on a WebGPU device.
 * @throws {RangeError} If `threads` is not a whole number from 1 to 1023, or `donate` names an argument
 * that does not exist.
 *
 * @example A step of gradient descent
 * ```ts
 * import { compile, type Tensor, tensor, valueAndGrad } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const loss = (w: Tensor, x: Tensor) => x.matmul(w).square().mean();
 * const step = (w: Tensor, x: Tensor, rate: number | Tensor) => {
 *   const [value, gradient] = valueAndGrad(loss)(w, x);
 *   return { value, w: w.sub(gradient.mul(rate)) };
 * };
 * const x = tensor([[1, 2], [3, 4]]);
 * await using program = await compile(step, [tensor([1, 1]), x, 0.1]);
 * const { value, w } = await program([1, -1], x, 0.5);
 * assertEquals(value.item(), 1);
 * assertEquals(w.toArray(), [3, 2]);
 * ```
 */
export function compile<Args extends unknown[], R>(
  f: (...args: Args) => R,
  exampleArgs: ProgramArguments<NoInfer<Args>>,
  options: CompileOptions = {},
): Promise<Program<Args, R>> {
  return Promise.try(() => {
    const defaults = { device: "cpu", threads: 1, donate: false } as const;
    const { device, threads, donate } = readOptions("compile", options, defaults);
    checkDevice(device, threads);
    checkNumber("compile", "threads", threads, { integer: true, min: 1, max: MAX_THREADS });
    const donated = readDonated(donate, exampleArgs.length);
    const team = threads > 1 ? new Team(threads) : undefined;
    const prepare: Prepare = device === "cpu"
      ? (graph) => prepareCpu(graph, team)
      : (graph) => device.prepare(graph);
    return makeProgram(f, exampleArgs, prepare, donated, team);
  });
}

async function makeProgram<Args extends unknown[], R>(
  f: (...args: Args) => R,
  exampleArgs: ProgramArguments<Args>,
  prepare: Prepare,
  donated: readonly boolean[],
  team: Team | undefined,
): Promise<Program<Args, R>> {
  const specializations = new Map<string, Specialization>();
  const ready = new Set<Executable>();
  const disposal = () => new TypeError("Cannot run the program as it has been disposed of");
  let disposed = false;
  const keep = (executable: Executable) => {
    if (disposed) executable.dispose();
    ready.add(executable);
    return executable;
  };
  const find = (args: readonly unknown[]): [Specialization, Tensor[], boolean[]] => {
    if (disposed) throw disposal();
    const flats = args.map((arg, i) => flattenTree("the program", arg, `argument ${i}`));
    const leaves = flats.flatMap((flat) => flat.leaves);
    const given = flats.flatMap((flat, i) => flat.leaves.map(() => donated[i]!));
    const rebuild = (values: readonly unknown[]) => rebuildAll(flats, values);
    const key = signature(leaves, rebuild);
    let found = specializations.get(key);
    if (found === undefined) {
      found = specialize(f as (...args: unknown[]) => unknown, leaves, rebuild, prepare);
      found.executable = then(found.executable, keep);
      specializations.set(key, found);
    }
    return [found, leaves, given];
  };
  const dispose = () => {
    disposed = true;
    specializations.clear();
    ready.forEach((executable) => executable.dispose());
    ready.clear();
    team?.dispose(disposal());
  };
  await find(exampleArgs as readonly unknown[])[0].executable;
  await team?.ready();
  return Object.assign(
    (...args: ProgramArguments<Args>) =>
      Promise.try(() => {
        const [{ executable, rebuild }, leaves, given] = find(args as readonly unknown[]);
        const run = () =>
          then(
            then(executable, (found) => found.run(leaves, given)),
            (results) => rebuild(results) as TensorTree<R>,
          );
        const waiting = team?.ready();
        return waiting === undefined ? run() : waiting.then(run);
      }),
    {
      explain: () => [...ready].map((executable) => executable.explain()).join("\n"),
      dispose,
      [Symbol.asyncDispose]: () => Promise.try(dispose),
    },
  );
}

/** What follows a value: at once where it is there, else when it has arrived. */
function then<T, U>(value: T | Promise<T>, f: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(f) : f(value);
}

function prepareCpu(graph: Graph, team: Team | undefined): Executable {
  const executable = new CpuExecutable(graph, { team });
  return {
    run: (inputs) => executable.run(inputs),
    explain: () => {
      const text = explainProgram(executable);
      return team === undefined ? text : `${text}\n${explainThreads(executable, team.size)}`;
    },
    dispose: () => {},
  };
}

function checkDevice(device: unknown, threads: unknown): void {
  if (device === "cpu") return;
  if (typeof (device as Partial<ProgramDevice> | null)?.prepare !== "function") {
    throw new TypeError(
      `Cannot compute compile as device must be "cpu" or what await webgpu() returned: ` +
        `current value is ${device instanceof Promise ? "a promise" : String(device)}`,
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
  if (!Array.isArray(donate) || !donate.every((i) => Number.isInteger(i))) {
    throw new TypeError(
      `Cannot compute compile as donate must be true, false or positions of arguments: ` +
        `current value is ${String(donate)}`,
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

/** Shapes, types and branches of the arguments as text. */
function signature(leaves: readonly Tensor[], rebuild: (l: readonly unknown[]) => unknown): string {
  const specs = leaves.map(({ shape, dtype }) => `${dtype}${formatShape(shape)}`);
  return JSON.stringify(rebuild(specs));
}

function specialize(
  f: (...args: unknown[]) => unknown,
  leaves: readonly Tensor[],
  rebuildArguments: (leaves: readonly unknown[]) => unknown[],
  prepare: Prepare,
): Specialization {
  const specs: Spec[] = leaves.map(({ shape, dtype }) => ({ shape, dtype }));
  let rebuild: Specialization["rebuild"] = () => undefined;
  const graph = record(specs, (inputs) => {
    const result = f(...rebuildArguments(inputs));
    const flat = flattenTree("compile", result, "the function's result");
    rebuild = flat.rebuild;
    return flat.leaves;
  });
  return { executable: prepare(optimize(graph)), rebuild };
}

/** All passes, in the order in which they help each other. */
export function optimize(graph: Graph): Graph {
  const passes = [
    dropDeadSteps,
    foldConstants,
    simplifySteps,
    (whole: Graph) => optimizeRowLoops(whole, optimize),
    comparePositions,
    shareEqualSteps,
    readTransposedOperands,
    dropDeadSteps,
  ];
  return passes.reduce((optimized, pass) => pass(optimized), graph);
}
