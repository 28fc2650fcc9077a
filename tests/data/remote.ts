/**
 * Reads an AnnData file from a server, and prints what was read and moved. Run as a process of its
 * own, which may use the network: `remote.ts ADDRESS ROWS [FORMAT]`.
 *
 * @module
 */
import {
  type AnnDataFile,
  cellLoader,
  openAnnData,
  openCells,
  readTable,
} from "../../src/data/mod.ts";

/** The sums of the batches of an epoch. */
async function sumsOf(file: AnnDataFile, workers: number): Promise<number[]> {
  const sums: number[] = [];
  for await (const { x } of cellLoader(file, { batchSize: 2, window: 2, shuffle: true, workers })) {
    sums.push(x.sum().item());
  }
  return sums;
}

const [address, rows] = Deno.args as [string, string];
const url = new URL(address);
const moved = async () => (await (await fetch(new URL("/moved", url))).json()) as object;
try {
  if (url.pathname.includes(".csv")) {
    console.log(JSON.stringify({ table: (await readTable(url)).matrix().toArray() }));
  } else {
    const open = url.searchParams.has("cells") ? openCells : openAnnData;
    await using file = await open(url);
    const opened = await moved();
    const [start, end] = rows.split("-").map(Number) as [number, number];
    const x = await file.X.readRows(start, end);
    const read = await moved();
    console.log(JSON.stringify({
      path: file.path,
      cells: file.nObs,
      sum: x.sum().item(),
      obs: (await file.obsNames()).slice(0, 2),
      layers: file.keys.layers,
      ...(url.searchParams.has("workers")
        ? { batches: [await sumsOf(file, 0), await sumsOf(file, 2)] }
        : {}),
      opened,
      read,
    }));
  }
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
}
