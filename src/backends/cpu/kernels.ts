/**
 * The WebAssembly functions of a program, and the memory that they work on.
 *
 * @module
 */
import { ModuleBuilder } from "../../../kernels/wasm/module.ts";
import { Memories, MOST_PAGES } from "./memories.ts";
import type { StepKernel } from "./step_kernel.ts";

/** A function that is given addresses and counts. */
export type Kernel = (...numbers: number[]) => void;

/** Where a function comes from, so that other threads can have it too. */
export interface KernelSource {
  /** The module, which imports `env.memory` and `Math`. */
  module: WebAssembly.Module;
  /** The name by which it exports the function. */
  name: string;
}

/** Functions over one memory. */
export class Kernels {
  /** What they read and write. */
  readonly memory: WebAssembly.Memory;
  /** Where the functions come from, in the order of their numbers. */
  readonly sources: KernelSource[] = [];
  /** The modules, and the number of each one's first function. */
  readonly modules: { bytes: Uint8Array; first: number }[] = [];
  readonly #functions: Kernel[] = [];
  readonly #known = new Map<string, number>();
  readonly #shared: boolean;

  constructor(bytes: number, shared: boolean, memories: Memories = new Memories()) {
    this.memory = memories.take(bytes, shared);
    this.#shared = shared;
  }

  /** A module for this memory. */
  builder(): ModuleBuilder {
    // Engines that check addresses need one comparison less where there is at least a page.
    const limits = { pages: 1, ...this.#shared ? { maximumPages: MOST_PAGES, shared: true } : {} };
    return new ModuleBuilder({ from: "import", ...limits });
  }

  /** Adds functions of a module; returns the number of the first. */
  add(builder: ModuleBuilder, names: readonly string[]): number {
    const bytes = builder.encode();
    this.modules.push({ bytes, first: this.sources.length });
    const module = new WebAssembly.Module(bytes);
    const { exports } = new WebAssembly.Instance(module, {
      env: { memory: this.memory },
      Math: Math as unknown as WebAssembly.ModuleImports,
    });
    for (const name of names) {
      this.sources.push({ module, name });
      this.#functions.push(exports[name] as Kernel);
    }
    return this.sources.length - names.length;
  }

  /** The number of the function that a step needs, which steps of equal keys share. */
  numberOf({ key, emit }: StepKernel): number {
    let number = this.#known.get(key);
    if (number === undefined) {
      const builder = this.builder();
      builder.exportFunction("run", emit(builder));
      number = this.add(builder, ["run"]);
      this.#known.set(key, number);
    }
    return number;
  }

  /** A function by its number. */
  get(number: number): Kernel {
    return this.#functions[number]!;
  }
}
