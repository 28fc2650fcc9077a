/**
 * Writes two files in turns, or adds two columns in turns, until it is killed:
 * `deno run … write_endlessly.ts PATH`. Says when it begins.
 *
 * @module
 */
import { updateAnnData, writeAnnData } from "../../src/data/write_anndata.ts";
import { tensor } from "../../src/tensor.ts";

/** How many cells the file of a turn has. */
export const CELLS = 400;

if (import.meta.main) {
  const [path, way] = Deno.args as [string, string];
  for (let turn = 0;; turn++) {
    const values = new Float32Array(CELLS * 100).fill(turn % 7);
    const x = tensor(values, { shape: [CELLS, 100] });
    const note = new Array<string>(CELLS).fill(`turn ${turn % 7}`);
    if (way === "update") {
      await updateAnnData(path, { obs: { note }, obsm: { x } }, { overwrite: true });
    } else {
      await writeAnnData(path, { X: x, obs: { note }, obsm: { x } }, { compression: "gzip" });
    }
    if (turn === 0) console.log("begun");
  }
}
