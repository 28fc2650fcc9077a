/** Asks the library for something that it refuses, and shows its answer. */
import { openLibrary } from "../../src/mpi/library.ts";
import { MpiTransport } from "../../src/mpi/mpi_transport.ts";

const transport = new MpiTransport(openLibrary(undefined));
try {
  transport.broadcast(new Float32Array(1), 99);
} catch (error) {
  if (transport.rank === 0) console.log((error as Error).message);
}
transport.finalize();
