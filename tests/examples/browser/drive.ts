/**
 * Plays all scenarios in one browser, and writes a line of JSON about each: its name, and what went
 * wrong. With a folder as argument, it leaves pictures there.
 *
 * @module
 */
import { findChromium, startChromium } from "./chromium.ts";
import { SCENARIOS, type Stage } from "./scenarios.ts";

/** What a scenario came to. */
export interface Verdict {
  /** The scenario. */
  name: string;
  /** What went wrong; `undefined` if nothing did. */
  error?: string | undefined;
  /** How long it took. */
  seconds: number;
}

/** Serves the page as a reader would, and finds out where. */
async function serve(): Promise<{ url: string } & AsyncDisposable> {
  const main = new URL("../../../examples/browser/main.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--allow-read", "--allow-run", "--allow-net"]
      .concat(main.href, "--port", "0"),
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const url = /http:\S+/.exec(value)?.[0];
  const end = async () => {
    child.kill("SIGTERM");
    await reader.cancel();
    await child.status;
  };
  if (url !== undefined) return { url, [Symbol.asyncDispose]: end };
  throw new Error(`The page is not served: ${value}`);
}

/** Plays a scenario, and writes what it came to. */
async function tell(name: string, stage: Stage): Promise<void> {
  const begin = performance.now();
  const error = await SCENARIOS[name]!(stage)
    .then(() => undefined, (e: Error) => e.stack ?? e.message);
  const seconds = (performance.now() - begin) / 1000;
  console.log(JSON.stringify({ name, error, seconds } satisfies Verdict));
}

if (import.meta.main) {
  const [pictures] = Deno.args;
  await using chromium = await startChromium((await findChromium())!);
  await using server = await serve();
  const folder = await Deno.makeTempDir();
  const stage: Stage = {
    chromium,
    url: server.url,
    folder,
    async picture(name, tab) {
      if (pictures === undefined) return;
      await Deno.writeFile(`${pictures}/${name}.png`, await tab.screenshot());
    },
  };
  const [first, ...others] = Object.keys(SCENARIOS);
  // The first one only computes, beside those that also wait.
  await Promise.all([
    tell(first!, stage),
    others.reduce(
      (before, name) => before.then(() => tell(name, stage)),
      Promise.resolve(),
    ),
  ]);
  await Deno.remove(folder, { recursive: true });
}
