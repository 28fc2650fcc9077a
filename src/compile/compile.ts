/**
 * `compile`: a function of tensors as a program that runs without recording anything again.
 *
 * @module
 */
import type { AwaitUsingDisposable } from "../disposal.ts";
import { refuseMore } from "../options.ts";
import type { LikeTree, TensorTree } from "../tree.ts";
import type { ProgramDevice } from "../program/device.ts";
import type { PassName } from "../program/optimize.ts";
import type { Profile } from "../program/profile.ts";

/** Where a program runs: `"cpu"`, or what `await webgpu()` returned. */
export type Device = "cpu" | ProgramDevice;

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /** Where the program runs: `"cpu"`, by default, or what `await webgpu()` returned. */
  device?: Device | undefined;
  /** How many threads share the larger steps on the CPU; 1 by default. `"auto"` asks the machine. */
  threads?: number | "auto" | undefined;
  /**
   * Arguments that are not needed after the call, `true` for all or their positions: tensors of
   * these that are on the device give their memory back, and throw when used again. None by default.
   */
  donate?: boolean | readonly number[] | undefined;
  /**
   * `"exact"`, each number of rows by a program of its own, by default; or `"bucket"`, rounded up
   * where the function treats rows one by one.
   */
  shapes?: "exact" | "bucket" | undefined;
}

/** Options of a program's `explain`. */
export interface ExplainOptions {
  /**
   * The pass whose graph is shown, its last time where it is done several times; `"record"`: the
   * graph before all passes. By default, the plan that runs is shown.
   */
  after?: PassName | undefined;
}

/** Options of a program's `profile`. */
export interface ProfileOptions {
  /** How many calls are measured; 10 by default. */
  runs?: number | undefined;
}

/** The arguments of a program: anything that becomes a tensor, wherever the examples have one. */
export type ProgramArguments<Args extends readonly unknown[]> = {
  [I in keyof Args]: LikeTree<Args[I]>;
};

/** A compiled function: call it, look into it by `explain()`, free it by `await using`. */
export interface Program<Args extends readonly unknown[], R> extends AwaitUsingDisposable {
  /** Runs the program. Other shapes or types than before are compiled at their first call. */
  (...args: ProgramArguments<Args>): Promise<TensorTree<R>>;
  /**
   * The plan as text: where each step runs, shapes, cost, kernels, constants, memory; or, with
   * `after`, the graph of the example arguments after a pass.
   */
  explain(options?: ExplainOptions): string;
  /**
   * Runs the program ten times, or as often as `runs` says, and once more before that, and tells what
   * each step takes; as text, the plan with the times. Nothing is donated.
   */
  profile(args: ProgramArguments<Args>, options?: ProfileOptions): Promise<Profile>;
  /**
   * The kernels as text, below comments that say what they make: WebAssembly modules on the CPU, none
   * where there is no SIMD, and WGSL shaders on a WebGPU device.
   */
  sources(): string[];
  /** Frees the program's memory and ends its threads; calls after that throw. */
  dispose(): void;
}

/**
 * Compiles a function for repeated use: it is recorded once, simplified, and then run as a plan
 * without tapes, shape rules or garbage. A whole training step, gradients and optimizer included,
 * compiles as one program.
 *
 * What the function sees as arguments is live, numbers among them; everything that it closes over is
 * a constant (`explain()` lists the constants). A call with other shapes or types than the examples
 * is recorded and compiled at its first occurrence, and kept: up to 32 sets of shapes, and 256 MiB of
 * memory for all but the two that were used last; beyond that, those used longest ago go, and are
 * compiled anew when they come again. `explain()` says how many there are. The function must not read
 * values (`item`, `data`) of its arguments, and must be pure: it is run once per set of shapes, now
 * and then again.
 *
 * With `shapes: "bucket"`, a call with another number of rows than the examples, such as the ragged
 * last batch, runs by the program for the next power of two, or for the examples' own number where
 * that is nearer: copies of its last row are put behind it, and what is made of them is cut off. Rows
 * are along the first axes of those arguments whose shapes differ from the examples', all in the same
 * way. This is done only where the function is seen not to notice, so that results are the same to
 * the bit: it is recorded with and without the further rows, and each of its operations must treat
 * rows one by one, as networks, predictions and losses with `reduction: "none"` do. What has a mean
 * or a sum over rows, a gradient of weights, random numbers by a key that is an argument or a loop
 * over rows is compiled for the shapes as they are, and so is everything on a WebGPU device;
 * `explain()` counts both. A loss over rows shares a program if you fill its batches up yourself and
 * give each row a weight, 0 for what was filled in, in place of the mean.
 *
 * With `threads`, large steps are shared between that many threads (`explain()` lists what they
 * make), to the same bits. `"auto"` takes as many as the machine runs at once, at most eight, and
 * one where threads share no memory; it shares only steps that give each thread 20 µs of work by a
 * rough estimate, and where there is none, no thread starts. All shapes have their threads in
 * common; threads that were not needed for two seconds end, and start anew at the next call. Node
 * has them from 22.3 on. Browsers share memory only on pages that are served with the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`, and
 * need `worker-src blob:` in a content security policy; as their main thread must not sleep, it
 * waits for the others by looking, so a worker of your own is the better place for long programs.
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
 * @param options `device`, `"cpu"` by default; `threads`, 1 by default; `donate`, none by default;
 * `shapes`, `"exact"` by default.
 * @returns The program.
 * @throws {TypeError} If the function reads values of its arguments, or does not return tensors; or
 * if there are to be several threads where none can share memory, or on a WebGPU device; if there is
 * float64 on a WebGPU device.
 * @throws {RangeError} If the program is beyond what WebAssembly, the engine's stack or the
 * device's buffers allow, or memory is exhausted; if `threads` is neither `"auto"` nor a whole
 * number from 1 to 1023, or `donate` names an argument that does not exist.
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
 *
 * @example Where the time goes
 * ```ts
 * import { compile, ones, type Tensor } from "@cellgrad/cellgrad";
 * import { assert, assertStringIncludes } from "@std/assert";
 *
 * const x = ones([64, 64]);
 * await using program = await compile((x: Tensor) => x.matmul(x).relu().sum(), [x]);
 * const profile = await program.profile([x], { runs: 3 });
 * assert(profile.steps[0]!.step.includes("matmul") && profile.steps[0]!.milliseconds > 0);
 * assertStringIncludes(String(profile), "ms per call");
 * assertStringIncludes(program.explain({ after: "record" }), "= where(");
 * assert(program.sources().some((kernel) => kernel.includes("f32x4.add")));
 * ```
 *
 * @example Batches of 3 and of 1 by one program
 * ```ts
 * import { compile, softmax, type Tensor, zeros } from "@cellgrad/cellgrad";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 *
 * const predict = (x: Tensor) => softmax(x.mul(2));
 * await using program = await compile(predict, [zeros([4, 2])], { shapes: "bucket" });
 * assertEquals((await program(zeros([3, 2]))).shape, [3, 2]);
 * assertStringIncludes(program.explain(), "rows from 3 to 4");
 * ```
 */
export async function compile<Args extends unknown[], R>(
  f: (...args: Args) => R,
  exampleArgs: ProgramArguments<NoInfer<Args>>,
  options: CompileOptions = {},
): Promise<Program<Args, R>> {
  if (arguments.length > 3) refuseMore("compile", "options", 3, arguments);
  // Loaded at the first call: many scripts compile nothing.
  const { makeProgram } = await import("./program.ts");
  return makeProgram(f, exampleArgs, options);
}
