/**
 * Drops an AnnData file on a page in Chromium and reads it in a worker there; then reads the same file
 * from the page's server. Prints what was read, how long the page stood still, and how much memory the
 * browser's processes hold at most, as a line of JSON. `deno run -A browser_drive.ts --megabytes N`
 * measures a file of that size; without, the memory is not looked up, which needs all permissions.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { bundle } from "../../examples/browser/build.ts";
import { writeAnnData } from "../../src/data/mod.ts";
import { fromData } from "../../src/tensor.ts";
import { findChromium, startChromium } from "../examples/browser/chromium.ts";

/** The page: it passes a file on to a worker, and notices how long it could not do anything. */
const PAGE = `<!doctype html><title>cells</title><input id="file" type="file"><script>
const worker = new Worker("/worker.js");
let longest = 0, last = performance.now();
setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; }, 10);
const ask = (source, rows) => new Promise((resolve) => {
  longest = 0;
  worker.onmessage = ({ data }) => resolve({ ...data, longest });
  worker.postMessage({ source, rows });
});
</script>`;

const COLUMNS = 1000;

/** A file of so many megabytes of numbers that count up. */
async function writeCells(path: string, megabytes: number): Promise<number> {
  const rows = Math.max(200, Math.round(megabytes * 1e6 / (4 * COLUMNS)));
  const data = Float32Array.from({ length: rows * COLUMNS }, (_, i) => i % 8191);
  const X = fromData(data, [rows, COLUMNS]);
  await writeAnnData(path, { X }, { compression: "none" });
  return rows;
}

/** The sum of rows of that file. */
function sumOf(start: number, end: number): number {
  let sum = 0;
  for (let i = start * COLUMNS; i < end * COLUMNS; i++) sum += i % 8191;
  return sum;
}

/** How much memory the processes of pages have held at most, in megabytes. */
async function memoryOf(): Promise<number> {
  let kilobytes = 0;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = await Deno.readTextFile(`/proc/${name}/cmdline`);
      if (!command.includes("--type=renderer")) continue;
      const status = await Deno.readTextFile(`/proc/${name}/status`);
      kilobytes += Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    } catch {
      // It has ended.
    }
  }
  return Math.round(kilobytes / 1024);
}

if (import.meta.main) {
  const { megabytes } = parseArgs(Deno.args, { string: ["megabytes"] });
  const folder = await Deno.makeTempDir();
  const path = `${folder}/cells.h5ad`;
  const rows = await writeCells(path, Number(megabytes ?? 30));
  const worker = await bundle(new URL("browser_worker.ts", import.meta.url));
  let moved = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response(PAGE, { headers: { "content-type": "text/html" } });
    if (pathname === "/worker.js") {
      return new Response(worker, { headers: { "content-type": "text/javascript" } });
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
    if (pathname !== "/cells.h5ad" || range === null) return new Response("", { status: 404 });
    using file = Deno.openSync(path);
    const { size } = file.statSync();
    const [first, last] = [Number(range[1]), Math.min(size - 1, Number(range[2]))];
    const bytes = new Uint8Array(last - first + 1);
    file.seekSync(first, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += file.readSync(bytes.subarray(done))!;
    moved += bytes.length;
    const headers = { "content-range": `bytes ${first}-${last}/${size}` };
    return new Response(bytes, { status: 206, headers });
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  {
    await using chromium = await startChromium((await findChromium())!);
    await using tab = await chromium.open();
    await tab.goto(url);
    const { root } = await tab.send("DOM.getDocument") as { root: { nodeId: number } };
    const { nodeId } = await tab.send("DOM.querySelector", {
      nodeId: root.nodeId,
      selector: "#file",
    });
    await tab.send("DOM.setFileInputFiles", { nodeId, files: [path] });
    const part = [rows - 150, rows - 50] as const;
    const ask = (source: string, [start, end]: readonly [number, number]) =>
      tab.evaluate<Record<string, unknown>>(`ask(${source}, [${start}, ${end}])`);
    const dropped = await ask(`document.getElementById("file").files[0]`, part);
    const memory = megabytes === undefined ? undefined : await memoryOf();
    const served = await ask(JSON.stringify(`${url}cells.h5ad`), part);
    const { size } = await Deno.stat(path);
    console.log(JSON.stringify({
      ...{ dropped, served, moved, size, rows, expected: sumOf(...part), memory },
      errors: tab.errors,
    }));
  }
  await server.shutdown();
  await Deno.remove(folder, { recursive: true });
}
