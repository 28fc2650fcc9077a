/** Builds the page in `examples/browser/`, and serves it on this machine; see `docs/browser.md`. */
import { type OptionValues, runProgram, UsageError } from "../lib/arguments.ts";
import { prepareFile } from "../lib/training/claim.ts";
import { writeAtomically } from "../lib/training/results.ts";
import { buildPage } from "./build.ts";

const OPTIONS = {
  port: {
    kind: "integer",
    min: 0,
    max: 65535,
    default: 8000,
    help: "Where the page is served; 0 for any free port",
  },
  out: {
    kind: "string",
    placeholder: "FILE",
    help: "Write the page to a file instead, which needs no server",
  },
} as const;

async function main({ port, out }: OptionValues<typeof OPTIONS>): Promise<void> {
  if (out !== undefined) await prepareFile(out);
  const page = await buildPage();
  if (out !== undefined) {
    await writeAtomically(out, page);
    return console.log(`Wrote ${out}`);
  }
  const server = servePage(page, port);
  console.log(`The page is at http://localhost:${server.addr.port}/ (Ctrl-C ends)`);
  await server.finished;
}

function servePage(page: string, port: number): Deno.HttpServer<Deno.NetAddr> {
  const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
  const answer = ({ url }: Request) =>
    new URL(url).pathname === "/"
      ? new Response(page, { headers })
      : new Response("There is only the page at /", { status: 404 });
  try {
    // Only this machine can reach it.
    return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, answer);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new UsageError(`Option --port must be a free port: ${port} is in use`);
  }
}

const PROGRAM = {
  command: "deno task example:browser",
  summary: "Serves a page on which losses can be tried out, on WebGPU and on the CPU.",
  options: OPTIONS,
};

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);
