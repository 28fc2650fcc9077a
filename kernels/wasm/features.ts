/**
 * What the WebAssembly engine at hand can do.
 *
 * @module
 */
import { ModuleBuilder } from "./module.ts";
import { f32x4 } from "./simd.ts";
import type { Value } from "./value.ts";

/**
 * Whether kernels can be made: vectors of 128 bits are there, and generating code is not forbidden
 * (by a browser's content security policy).
 */
export function hasSimd(): boolean {
  return simd ??= accepts(() => f32x4.splat(0));
}

/** Whether multiplication and addition can be one instruction, rounded once or twice. */
export function hasRelaxedSimd(): boolean {
  return relaxedSimd ??= accepts(() => {
    const zero = f32x4.splat(0);
    return f32x4.relaxedMadd(zero, zero, zero);
  });
}

let simd: boolean | undefined;
let relaxedSimd: boolean | undefined;

function accepts(write: () => Value<"v128">): boolean {
  if (typeof WebAssembly === "undefined") return false;
  const module = new ModuleBuilder();
  module.addFunction({}, (code) => {
    code.let(write());
  });
  const bytes = module.encode();
  try {
    return WebAssembly.validate(bytes) && Boolean(new WebAssembly.Module(bytes));
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return false;
    throw error;
  }
}
