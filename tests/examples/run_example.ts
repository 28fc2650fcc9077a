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

/** The example in a file of `examples/`, with the permissions of its task and these arguments. */
export function runExample(file: string, ...always: string[]): Example {
  const program = new URL(`../../examples/${file}`, import.meta.url).pathname;
  const start: Example["start"] = (out, ...args) => {
    const permissions = ["--no-prompt", "--allow-read", `--allow-write=${out}`];
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", ...permissions, program, `--out=${out}`, ...always, ...args],
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
  };
  return {
    start,
    async run(out, ...args) {
      const { code, stdout, stderr } = await start(out, ...args).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, stdout: text(stdout), stderr: text(stderr) };
    },
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
