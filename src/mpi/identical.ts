/**
 * Whether all ranks hold the same bits.
 *
 * @module
 */
import { fromData } from "../tensor.ts";
import { commonest } from "./agree.ts";
import { checkCommunicator, type Communicator } from "./communicator.ts";
import { hashValues } from "../hash.ts";
import { namedLeaves } from "./names.ts";

/**
 * Checks that all ranks hold the same bits, by comparing hashes of 64 bits of every tensor. All ranks
 * must call it, and all find the same.
 *
 * @param tree Tensors in arrays and objects.
 * @param comm The ranks.
 * @throws {Error} If a tensor differs: names the tensor and the ranks whose bits are not those of
 * the most.
 *
 * @example Alone, one agrees with oneself
 * ```ts
 * import { tensor } from "@cellgrad/cellgrad";
 * import { checkIdentical, singleProcess } from "@cellgrad/cellgrad/mpi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(checkIdentical({ weight: tensor([1, 2]) }, singleProcess()), undefined);
 * ```
 */
export function checkIdentical(tree: unknown, comm: Communicator): void {
  checkCommunicator("checkIdentical", comm);
  const named = namedLeaves("checkIdentical", tree);
  const own = Int32Array.from([...named.values()].flatMap(({ data }) => hashValues(data)));
  const all = comm.allGather(fromData(own, [1, own.length])).data;
  [...named.keys()].forEach((name, i) => {
    const hashes = Array.from({ length: comm.size }, (_, rank) => {
      const at = rank * own.length + 2 * i;
      return `${all[at]} ${all[at + 1]}`;
    });
    const usual = commonest(hashes);
    const ranks = hashes.flatMap((hash, rank) => hash === usual ? [] : [rank]);
    if (ranks.length === 0) return;
    throw new Error(
      `Cannot continue as all ranks must hold the same bits: "${name}" differs on rank ` +
        `${ranks.join(", ")} of ${comm.size} from rank ${hashes.indexOf(usual)}`,
    );
  });
}
