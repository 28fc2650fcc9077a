/**
 * Serves a folder on this machine as servers of files do, in ranges, and counts what is asked for.
 * Run as a process of its own: `deno run --allow-net --allow-read serve.ts FOLDER`; prints the port,
 * and what was moved when it is asked for `/moved`.
 *
 * @module
 */
const folder = Deno.args[0]!;
let moved = 0;
let requests = 0;

function answer(request: Request): Response {
  const url = new URL(request.url);
  if (url.pathname === "/moved") return Response.json({ moved, requests });
  requests++;
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(`${folder}${decodeURIComponent(url.pathname)}`);
  } catch {
    return new Response("none", { status: 404 });
  }
  using opened = file;
  const { size, isDirectory } = opened.statSync();
  if (isDirectory) return new Response("a folder", { status: 404 });
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
  const ranged = range !== null && !url.searchParams.has("whole");
  if (ranged && size === 0) {
    return new Response("", { status: 416, headers: { "content-range": "bytes */0" } });
  }
  const [first, last] = ranged
    ? [Number(range![1]), Math.min(size - 1, Number(range![2]))]
    : [0, size - 1];
  const bytes = new Uint8Array(last - first + 1);
  opened.seekSync(first, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += opened.readSync(bytes.subarray(done))!;
  moved += bytes.length;
  const etag = url.searchParams.has("changing") ? `"${requests}"` : '"1"';
  const headers: Record<string, string> = { etag };
  if (ranged) headers["content-range"] = `bytes ${first}-${last}/${size}`;
  return new Response(bytes, { status: ranged ? 206 : 200, headers });
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, answer);
