import { assertEquals, assertThrows } from "@std/assert";
import { checkLauncher, launcherOf } from "../../src/mpi/launcher.ts";

const launcherIn = (variables: Record<string, string>) => launcherOf((name) => variables[name]);

Deno.test("launcherOf() knows the variables of Open MPI's, MPICH's and Slurm's launchers", () => {
  assertEquals(launcherIn({ OMPI_COMM_WORLD_RANK: "2", OMPI_COMM_WORLD_SIZE: "4" }), {
    library: "Open MPI",
    rank: 2,
    size: 4,
  });
  assertEquals(launcherIn({ PMI_RANK: "0", PMI_SIZE: "3" }), {
    library: "MPICH",
    rank: 0,
    size: 3,
  });
  assertEquals(launcherIn({ PMIX_RANK: "5" }), { library: "Open MPI", rank: 5 });
});

Deno.test("launcherOf() knows nothing where no launcher has started the process", () => {
  assertEquals(launcherIn({ HOME: "/root" }), {});
});

Deno.test("checkLauncher() accepts what agrees, and a process without launcher", () => {
  const found = { rank: 0, size: 1, name: "MPICH 4.0.2", file: "libmpich.so.12" };
  checkLauncher({}, found);
  checkLauncher({ library: "MPICH", rank: 0, size: 1 }, found);
  checkLauncher({ library: "Open MPI", rank: 0 }, found);
});

Deno.test("checkLauncher() says so where the library knows other ranks than the launcher", () => {
  const found = { rank: 0, size: 1, name: "Open MPI v4.1.4", file: "libmpi.so.40" };
  assertEquals(
    assertThrows(() => checkLauncher({ library: "MPICH", rank: 0, size: 3 }, found), Error).message,
    'Cannot open MPI as the launcher has started rank 0 of 3, and "libmpi.so.40" ' +
      "(Open MPI v4.1.4) knows it as rank 0 of 1: start with the launcher that belongs to the " +
      "library, or name the launcher's own library (MPICH) as library",
  );
  assertThrows(() => checkLauncher({ library: "Open MPI", rank: 1 }, found), Error, "rank 1, and");
});
