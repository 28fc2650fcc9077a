/**
 * Starting jobs of many ranks, and seeing whether anything of them is left.
 *
 * @module
 */

/** A program that starts ranks. */
export interface Launcher {
  /** The family of libraries to which it belongs. */
  library: "Open MPI" | "MPICH";
  /** The command. */
  command: string;
  /** What comes before `-n`. */
  options: readonly string[];
}

/** Which commands to look for, how they name themselves, and how to install them. */
const KNOWN = [
  {
    library: "Open MPI",
    commands: ["mpirun.openmpi", "mpirun", "mpiexec"],
    says: /Open ?(MPI|RTE)/i,
    options: ["--allow-run-as-root", "--oversubscribe"],
    advice: "apt-get install openmpi-bin",
  },
  {
    library: "MPICH",
    commands: ["mpiexec.mpich", "mpiexec.hydra", "mpiexec"],
    says: /hydra|mpich/i,
    options: [],
    advice: "apt-get install mpich",
  },
] as const;

/** The launcher of each family, or what to install. */
export async function findLaunchers(): Promise<(Launcher | string)[]> {
  return await Promise.all(KNOWN.map(async ({ library, commands, says, options, advice }) => {
    for (const command of commands) {
      if (says.test(await versionOf(command))) return { library, command, options };
    }
    return `no launcher of ${library} was found: ${advice}`;
  }));
}

async function versionOf(command: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(command, { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return "";
  }
}

/** A job that has ended. */
export interface Ended {
  /** The launcher's exit code. */
  code: number;
  /** Standard output. */
  out: string;
  /** Standard error. */
  err: string;
  /** How long it took. */
  seconds: number;
}

/** A job that runs. */
export interface Job {
  /** What becomes of it; after a minute it is killed. */
  ended: Promise<Ended>;
}

/** Starts a script as so many ranks. */
export function launch(
  { command, options }: Launcher,
  ranks: number,
  script: string,
  args: readonly string[],
): Job {
  const path = new URL(script, import.meta.url).pathname;
  const permissions = ["--allow-ffi", "--allow-read", "--allow-write"];
  const deno = [Deno.execPath(), "run", "--no-lock", "--no-prompt", ...permissions];
  const child = new Deno.Command(command, {
    args: [...options, "-n", `${ranks}`, ...deno, path, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const started = performance.now();
  const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const ended = child.output().then(({ code, stdout, stderr }) => {
    clearTimeout(limit);
    return {
      code,
      out: new TextDecoder().decode(stdout),
      err: new TextDecoder().decode(stderr),
      seconds: (performance.now() - started) / 1000,
    };
  });
  return { ended };
}

/** Which of the processes still live; zombies do not. */
export async function living(pids: readonly number[]): Promise<number[]> {
  const script = `for p in "$@"; do
    grep -qs "^State:[[:space:]]*[^ZX]" "/proc/$p/status" && echo "$p"
  done; true`;
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", ...pids.map(String)],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "").map(Number);
}

/** The ranks' process numbers, once all have written them. */
export async function pidsOf(directory: string, ranks: number): Promise<number[]> {
  for (let i = 0; i < 400; i++) {
    const pids = await Promise.all(
      Array.from(
        { length: ranks },
        (_, r) => Deno.readTextFile(`${directory}/pid-${r}`).then(Number, () => 0),
      ),
    );
    if (pids.every((pid) => pid > 0)) return pids;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`the ranks did not start within 10 s`);
}
