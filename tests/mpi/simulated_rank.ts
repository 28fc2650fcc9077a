/** A thread that does all scenarios as one simulated rank, and reports each. */
import { Communicator } from "../../src/mpi/mod.ts";
import { reasonText } from "../../src/mpi/communicator.ts";
import { SCENARIOS } from "./scenarios.ts";
import { SimulatedTransport } from "./simulated.ts";

/** The thread's global scope. */
interface ThreadScope {
  onmessage: (event: MessageEvent<[SharedArrayBuffer, number, number, string]>) => void;
  postMessage(message: unknown): void;
}

const thread = self as unknown as ThreadScope;

thread.onmessage = async ({ data: [memory, rank, size, directory] }) => {
  const transport = new SimulatedTransport(memory, rank, size);
  const comm = new Communicator(transport);
  for (const [name, scenario] of SCENARIOS) {
    try {
      await scenario(comm, directory);
      comm.barrier();
      thread.postMessage([name, ""]);
    } catch (error) {
      thread.postMessage([name, reasonText(error)]);
      transport.abort("a scenario failed");
    }
  }
};
