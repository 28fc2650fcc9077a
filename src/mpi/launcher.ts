/**
 * What the program that started this process says of it, so that a library of another launcher,
 * which would take every process for the only one, is noticed.
 *
 * @module
 */

/** What is known from the environment. */
export interface Launcher {
  /** The family of libraries that it belongs to. */
  library?: "Open MPI" | "MPICH";
  /** The rank that it has given to this process. */
  rank?: number;
  /** How many processes it has started. */
  size?: number;
}

/** Reads the variables that `mpirun`, `mpiexec` and `srun` set. */
export function launcherOf(variable: (name: string) => string | undefined): Launcher {
  const launchers: [Launcher["library"] & string, string, string][] = [
    ["Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"],
    ["MPICH", "PMI_RANK", "PMI_SIZE"],
    ["Open MPI", "PMIX_RANK", ""],
  ];
  for (const [library, rankName, sizeName] of launchers) {
    const rank = variable(rankName);
    if (rank === undefined) continue;
    const size = sizeName === "" ? undefined : variable(sizeName);
    return {
      library,
      rank: Number(rank),
      ...(size === undefined ? {} : { size: Number(size) }),
    };
  }
  return {};
}

/** Throws where MPI knows other ranks than the launcher. */
export function checkLauncher(
  launcher: Launcher,
  { rank, size, name, file }: { rank: number; size: number; name: string; file: string },
): void {
  const same = (launcher.rank ?? rank) === rank && (launcher.size ?? size) === size;
  if (same) return;
  const started = launcher.size === undefined ? "" : ` of ${launcher.size}`;
  throw new Error(
    `Cannot open MPI as the launcher has started rank ${launcher.rank}${started}, and "${file}" ` +
      `(${name}) knows it as rank ${rank} of ${size}: start with the launcher that belongs to the ` +
      `library, or name the launcher's own library (${launcher.library}) as library`,
  );
}
