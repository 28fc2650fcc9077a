/**
 * WGSL kernels: what they consist of, and the text that all of them share.
 *
 * @module
 */

/** A shader with one entry point, `main`, and how often it is started. */
export interface WgslKernel {
  /** What it is, for messages: "matmul 64x64", "loop exp sum". */
  readonly name: string;
  /** The shader. Bindings of group 0: the inputs from 0 on (storage, read), then the outputs (storage, read_write). */
  readonly code: string;
  /** How many inputs there are. */
  readonly inputs: number;
  /** How many outputs there are. */
  readonly outputs: number;
  /** Workgroups along x and y, each at most 65535; larger counts are spread over both. */
  readonly workgroups: readonly [number, number];
}

/**
 * Kernels that together do one operation, in order. Numbers of buffers count the operation's inputs
 * from 0 on, then its outputs, then the temporaries.
 */
export interface WgslPlan {
  /** The kernels, and the buffers that each is bound to: those that it reads, then those it writes. */
  readonly kernels: readonly { readonly kernel: WgslKernel; readonly buffers: readonly number[] }[];
  /** The sizes of the temporaries, in 32-bit words. */
  readonly temporaries: readonly number[];
}

/** The type of an element in a buffer, and of a value in a shader. */
export type WgslType = "f32" | "i32" | "u32";

/** The type of elements as tensors have them, as far as WGSL knows them. */
export type WgslElement = "float32" | "int32" | "bool";

/** What elements are in buffers; `bool` is a whole word, 0 or 1. */
export const WGSL_TYPES: Readonly<Record<WgslElement, WgslType>> = {
  float32: "f32",
  int32: "i32",
  bool: "u32",
};

/** A buffer as a shader sees it. */
export interface Binding {
  /** The name of the array. */
  readonly name: string;
  /** The type of its elements. */
  readonly type: WgslType;
}

/** What a kernel is made of. */
export interface KernelDraft {
  /** The name of the kernel. */
  readonly name: string;
  /** What it reads. */
  readonly inputs: readonly Binding[];
  /** What it writes. */
  readonly outputs: readonly Binding[];
  /** How many workgroups there are to be, at most 2³² − 1; see {@linkcode groupsFor}. */
  readonly groups: number;
  /** Invocations per workgroup, along one dimension; by default {@linkcode WORKGROUP}. */
  readonly workgroupSize?: number;
  /** Constants, functions and workgroup variables. */
  readonly declarations?: string;
  /** Statements of `main`, which see `group`, `lane` and `index`, all `u32`. */
  readonly body: string;
}

/**
 * The declaration of `zero_bits`, which is 0 while kernels run, as all are started flat: drivers
 * cannot know. What they can compute beforehand they simplify as if there were no infinities and no
 * NaN; Mesa's llvmpipe leaves what is divided by a known 0 unwritten.
 */
export const UNKNOWN_ZERO = "var<private> zero_bits: u32;";

/** Invocations per workgroup where there is no reason for another number. */
export const WORKGROUP = 64;

/** Rounds that the loops of an invocation may take: software adapters end them after 65,535. */
export const MOST_ROUNDS: number = 2 ** 15;

/** The most workgroups along a dimension that every adapter allows. */
const LARGEST_DIMENSION = 65535;

/** How many workgroups it takes for `count` invocations. */
export function groupsFor(count: number, workgroupSize: number = WORKGROUP): number {
  return Math.ceil(count / workgroupSize);
}

/** The least rectangle of workgroups, no longer than allowed, that has `count` of them or more. */
export function spreadGroups(count: number): [x: number, y: number] {
  const y = Math.max(1, Math.ceil(count / LARGEST_DIMENSION));
  return [Math.ceil(count / y), y];
}

/**
 * A kernel from its parts. `main` knows the number of the workgroup, `group`, of the invocation in
 * it, `lane`, and of the invocation among all, `index`. Workgroups that are there only to fill the
 * rectangle return at once; a body that has less work than invocations starts with
 * `if (index >= count) { return; }`.
 */
export function createKernel(draft: KernelDraft): WgslKernel {
  const { name, inputs, outputs, groups, workgroupSize = WORKGROUP, declarations = "" } = draft;
  const workgroups = spreadGroups(groups);
  const [x, y] = workgroups;
  const main = [
    ...(declarations.includes(UNKNOWN_ZERO) ? ["zero_bits = workgroup.z;"] : []),
    `let group = ${y === 1 ? "workgroup.x" : `workgroup.x + workgroup.y * ${x}u`};`,
    ...(x * y > groups ? [`if (group >= ${groups}u) { return; }`] : []),
    ...(/\bindex\b/.test(draft.body) ? [`let index = group * ${workgroupSize}u + lane;`] : []),
    draft.body.trim(),
  ].join("\n");
  const bindings = [
    ...inputs.map((binding) => ({ ...binding, access: "read" })),
    ...outputs.map((binding) => ({ ...binding, access: "read_write" })),
  ].map(({ name, type, access }, i) =>
    `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${type}>;`
  );
  const code = [
    bindings.join("\n"),
    ...(declarations.trim() === "" ? [] : [declarations.trim()]),
    `@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
${indent(main)}
}
`,
  ].join("\n\n");
  return { name, code, inputs: inputs.length, outputs: outputs.length, workgroups };
}

/** Text with every line that is not empty moved to the right. */
export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}

/** The plan of an operation that one kernel does. */
export function planOf(kernel: WgslKernel): WgslPlan {
  const buffers = Array.from({ length: kernel.inputs + kernel.outputs }, (_, i) => i);
  return { kernels: [{ kernel, buffers }], temporaries: [] };
}

/** A plan that grows kernel by kernel. */
export class PlanDraft implements WgslPlan {
  /** The kernels so far. */
  readonly kernels: WgslPlan["kernels"][number][] = [];
  /** The sizes of the temporaries so far. */
  readonly temporaries: number[] = [];
  readonly #buffers: number;

  /** A plan of an operation with so many inputs and outputs together. */
  constructor(buffers: number) {
    this.#buffers = buffers;
  }

  /** The number of a new temporary of so many words. */
  temporary(words: number): number {
    return this.#buffers + this.temporaries.push(words) - 1;
  }

  /** Adds a kernel. */
  add(kernel: WgslKernel, inputs: readonly number[], outputs: readonly number[]): void {
    this.kernels.push({ kernel, buffers: [...inputs, ...outputs] });
  }
}
