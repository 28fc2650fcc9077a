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
import { explainProgram } from "./explain.ts";
import type { Graph } from "./graph.ts";
import { dropDeadSteps } from "./passes/dead.ts";
import { foldConstants } from "./passes/fold.ts";
import { optimizeRowLoops } from "./passes/row_blocks.ts";
import { shareEqualSteps } from "./passes/share.ts";
import { simplifySteps } from "./passes/simplify.ts";
import { readTransposedOperands } from "./passes/transposed_matmul.ts";
import { record } from "./record.ts";
import { explainThreads, MAX_THREADS, Team } from "./threads.ts";

/** Where a program runs. */
export type Device = "cpu";

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /** Where the program runs; `"cpu"` by default. */
  device?: Device | undefined;
  /** How many threads share the larger steps; 1 by default. */
  threads?: number | undefined;
}

/** The arguments of a program: anything that becomes a tensor, wherever the examples have one. */
export type ProgramArguments<Args extends readonly unknown[]> = {
  [I in keyof Args]: LikeTree<Args[I]>;
};

/** A compiled function: call it, look into it by `explain()`, free it by `await using`. */
export interface Program<Args extends readonly unknown[], R> extends AsyncDisposable {
  /** Runs the program. Other shapes or types than before are compiled at their first call. */
  (...args: ProgramArguments<Args>): Promise<TensorTree<R>>;
  /** The plan as text: steps, shapes, cost, kernels, constants, memory. */
  explain(): string;
  /** Frees the program's memory and ends its threads; calls after that throw. */
  dispose(): void;
}

/** A program for arguments of certain shapes and types. */
interface Specialization {
  executable: CpuExecutable;
  rebuild: (leaves: readonly unknown[]) => unknown;
}

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
 * @param f The function; it takes and returns tensors, or arrays and plain objects of them.
 * @param exampleArgs Arguments of the shapes and types to expect; their values do not matter.
 * @param options `device`, `"cpu"` by default, and `threads`, 1 by default.
 * @returns The program.
 * @throws {TypeError} If the function reads values of its arguments, or does not return tensors; or
 * if there are to be several threads where none can share memory.
 * @throws {RangeError} If `threads` is not a whole number from 1 to 1023.
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
    const defaults = { device: "cpu", threads: 1 } as const;
    const { device, threads } = readOptions("compile", options, defaults);
    checkDevice(device);
    checkNumber("compile", "threads", threads, { integer: true, min: 1, max: MAX_THREADS });
    return makeProgram(f, exampleArgs, threads > 1 ? new Team(threads) : undefined);
  });
}

async function makeProgram<Args extends unknown[], R>(
  f: (...args: Args) => R,
  exampleArgs: ProgramArguments<Args>,
  team: Team | undefined,
): Promise<Program<Args, R>> {
  const specializations = new Map<string, Specialization>();
  const disposal = () => new TypeError("Cannot run the program as it has been disposed of");
  let disposed = false;
  const find = (args: readonly unknown[]): [Specialization, Tensor[]] => {
    if (disposed) throw disposal();
    const flats = args.map((arg, i) => flattenTree("the program", arg, `argument ${i}`));
    const leaves = flats.flatMap((flat) => flat.leaves);
    const rebuild = (values: readonly unknown[]) => rebuildAll(flats, values);
    const key = signature(leaves, rebuild);
    let found = specializations.get(key);
    if (found === undefined) {
      found = specialize(f as (...args: unknown[]) => unknown, leaves, rebuild, team);
      specializations.set(key, found);
    }
    return [found, leaves];
  };
  const explain = ({ executable }: Specialization) => {
    const text = explainProgram(executable);
    return team === undefined ? text : `${text}\n${explainThreads(executable, team.size)}`;
  };
  const dispose = () => {
    disposed = true;
    specializations.clear();
    team?.dispose(disposal());
  };
  find(exampleArgs as readonly unknown[]);
  await team?.ready();
  return Object.assign(
    (...args: ProgramArguments<Args>) =>
      Promise.try(() => {
        const [{ executable, rebuild }, leaves] = find(args as readonly unknown[]);
        const run = () => rebuild(executable.run(leaves)) as TensorTree<R>;
        const waiting = team?.ready();
        return waiting === undefined ? run() : waiting.then(run);
      }),
    {
      explain: () => [...specializations.values()].map(explain).join("\n"),
      dispose,
      [Symbol.asyncDispose]: () => Promise.try(dispose),
    },
  );
}

function checkDevice(device: unknown): void {
  if (device === "cpu") return;
  throw new TypeError(
    `Cannot compute compile as device must be "cpu": current value is ${String(device)}`,
  );
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
  team: Team | undefined,
): Specialization {
  const specs: Spec[] = leaves.map(({ shape, dtype }) => ({ shape, dtype }));
  let rebuild: Specialization["rebuild"] = () => undefined;
  const graph = record(specs, (inputs) => {
    const result = f(...rebuildArguments(inputs));
    const flat = flattenTree("compile", result, "the function's result");
    rebuild = flat.rebuild;
    return flat.leaves;
  });
  return { executable: new CpuExecutable(optimize(graph), { team }), rebuild };
}

/** All passes, in the order in which they help each other. */
export function optimize(graph: Graph): Graph {
  const passes = [
    dropDeadSteps,
    foldConstants,
    simplifySteps,
    (whole: Graph) => optimizeRowLoops(whole, optimize),
    shareEqualSteps,
    readTransposedOperands,
    dropDeadSteps,
  ];
  return passes.reduce((optimized, pass) => pass(optimized), graph);
}
