/**
 * Runs an example as its task does, in a process and a folder of its own.
 *
 * @module
 */

/** What a program printed, and its exit status. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** An example that can be run. */
export interface Example {
  /** Starts it; its results go to `out`, the only place where it may write. */
  start: (out: string, ...args: string[]) => Deno.ChildProcess;
  /** Starts it and waits for its end. */
  run: (out: string, ...args: string[]) => Promise<Outcome>;
  /** Runs a test with a folder for results, which does not exist yet and is removed afterwards. */
  inFolder: (test: (out: string) => Promise<void>) => Promise<void>;
}

/** What a process prints, when it has ended. */
async function outcomeOf(process: Deno.ChildProcess): Promise<Outcome> {
  const { code, stdout, stderr } = await process.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

function spawn(file: string, permissions: string[], args: string[]): Deno.ChildProcess {
  const program = new URL(`../../examples/${file}`, import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", ...permissions, program, ...args],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** The lines that an example without options prints; throws where it fails. */
export async function linesOf(file: string): Promise<string[]> {
  const { code, stdout, stderr } = await outcomeOf(spawn(file, [], []));
  if (code !== 0) throw new Error(stderr);
  return stdout.trim().split("\n");
}

/** The example in a file of `examples/`, with the permissions of its task and these arguments. */
export function runExample(file: string, ...always: string[]): Example {
  const start: Example["start"] = (out, ...args) => {
    const permissions = ["--allow-read", `--allow-write=${out}`];
    return spawn(file, permissions, [`--out=${out}`, ...always, ...args]);
  };
  return {
    start,
    run: (out, ...args) => outcomeOf(start(out, ...args)),
    async inFolder(test) {
      const folder = await Deno.makeTempDir({ prefix: "example" });
      try {
        await test(`${folder}/results`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  };
}
