/** Telling the cells of one training from those of another. */
import type { Tensor } from "@cellgrad/cellgrad";

/** A text of 16 digits that stands for expression: another one for other cells, genes or values. */
export async function digestOf({ data }: Tensor): Promise<string> {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).slice(0, 8).toHex();
}
