/** The page in `examples/browser/`, in a real browser. */
import { assertEquals } from "@std/assert";
import { findChromium } from "./browser/chromium.ts";
import type { Verdict } from "./browser/drive.ts";
import { SCENARIOS } from "./browser/scenarios.ts";

const isMissing = await findChromium() === undefined;

/** Plays all scenarios, in a process that may use the network of this machine. */
async function play(): Promise<Map<string, Verdict>> {
  const drive = new URL("browser/drive.ts", import.meta.url);
  const permissions = [
    "--allow-net=127.0.0.1,localhost",
    "--allow-read",
    "--allow-write",
    "--allow-run",
  ];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...permissions, drive.href],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  const lines = decoder.decode(stdout).trim().split("\n").filter((line) => line.startsWith("{"));
  if (lines.length === 0) throw new Error(decoder.decode(stderr));
  const verdicts = lines.map((line) => JSON.parse(line) as Verdict);
  return new Map(verdicts.map((verdict) => [verdict.name, verdict]));
}

let verdicts: Promise<Map<string, Verdict>> | undefined;

for (const name of Object.keys(SCENARIOS)) {
  Deno.test({
    name: `in the browser, ${name}`,
    ignore: isMissing,
    async fn() {
      const verdict = (await (verdicts ??= play())).get(name);
      assertEquals(verdict?.error, undefined);
      assertEquals(verdict?.name, name);
    },
  });
}
