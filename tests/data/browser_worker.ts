/**
 * Reads an AnnData file that was dropped on a page, or lies on its server, in a worker.
 *
 * @module
 */
import { openCells } from "../../src/data/mod.ts";

interface Scope {
  onmessage: (event: { data: { source: File | string; rows: [number, number] } }) => void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = async ({ data: { source, rows } }) => {
  try {
    const begin = performance.now();
    await using file = await openCells(typeof source === "string" ? new URL(source) : source);
    const opened = performance.now() - begin;
    const x = await file.X.readRows(...rows);
    scope.postMessage({
      format: file.format,
      path: file.path,
      shape: file.X.shape,
      names: (await file.obsNames()).slice(0, 2),
      sum: x.sum().item(),
      opened,
      read: performance.now() - begin - opened,
    });
  } catch (error) {
    scope.postMessage({ error: (error as Error).message });
  }
};
