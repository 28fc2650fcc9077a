/**
 * Telling the cells of one training from those of another.
 *
 * @module
 */
import type { Tensor } from "@cellgrad/cellgrad";

/**
 * A text that stands for expression: another one for other cells, genes or values.
 *
 * @param expression (cells, genes).
 * @returns 64 bits in hexadecimal digits.
 */
export async function digestOf({ data }: Tensor): Promise<string> {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).slice(0, 8).toHex();
}
