/** Opens MPI as if no library were installed. */
import { openLibrary } from "../../src/mpi/library.ts";
import { MPICH } from "../../src/mpi/mpich.ts";
import { OPEN_MPI } from "../../src/mpi/open_mpi.ts";

openLibrary(undefined, [
  { ...OPEN_MPI, files: ["libnone.so.40"] },
  { ...MPICH, files: ["libnone.so.12"] },
]);
