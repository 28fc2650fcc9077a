/**
 * Blocks of bytes whose size is known when the code is written.
 *
 * @module
 */
import type { CodeBuilder } from "../wasm/code.ts";
import { i32, type Local, type Value } from "../wasm/value.ts";
import { v128 } from "../wasm/simd.ts";

/** Larger blocks are left to the engine's own copying, which takes longer to start. */
const LARGEST_COPY = 128;

/** Copies `bytes` bytes. */
export function emitBlockCopy(
  code: CodeBuilder,
  to: Local<"i32">,
  address: Value<"i32">,
  bytes: number,
): void {
  if (bytes > LARGEST_COPY) return code.copy(to, address, bytes);
  const from = code.let(address);
  let at = 0;
  for (; at + 16 <= bytes; at += 16) code.store("v128", to, v128.load(from, at), at);
  for (; at + 8 <= bytes; at += 8) code.storeLane(8, to, v128.load64Zero(from, at), 0, at);
  for (; at + 4 <= bytes; at += 4) code.store("i32", to, i32.load(from, at), at);
  for (; at < bytes; at++) code.store("i8", to, i32.load8U(from, at), at);
}
