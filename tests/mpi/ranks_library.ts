/** Opens MPI by the file that is named. */
import { openMpi } from "../../src/mpi/mod.ts";

await using comm = await openMpi({ library: Deno.args[0] });
console.log(`${comm.rank} of ${comm.size}`);
