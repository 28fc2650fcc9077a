/** Runs all scenarios as one rank of a real job; rank 0 names those in which no rank has failed. */
import { openMpi } from "../../src/mpi/mod.ts";
import { SCENARIOS } from "./scenarios.ts";

await using comm = await openMpi();
const [ranks, library, directory] = Deno.args as [string, string, string];
if (comm.size !== Number(ranks) || !comm.name.startsWith(library)) {
  throw new Error(`expected ${ranks} ranks of ${library}: found ${comm.size} of ${comm.name}`);
}
for (const [name, scenario] of SCENARIOS) {
  try {
    await scenario(comm, directory);
  } catch (cause) {
    throw new Error(name, { cause });
  }
  comm.barrier();
  if (comm.rank === 0) console.log(`ok ${name}`);
}
