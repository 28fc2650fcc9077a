/**
 * Open MPI 3 to 5: predefined objects are exported, and their addresses are the handles.
 *
 * @module
 */
import type { Abi } from "./abi.ts";

const OBJECT = { type: "pointer" } as const;

/** Open MPI and what is built on it. */
export const OPEN_MPI: Abi = {
  name: "Open MPI",
  files: ["libmpi.so.40", "libmpi.40.dylib"],
  handle: "pointer",
  constants(file) {
    const { symbols } = Deno.dlopen(file, {
      ompi_mpi_comm_world: OBJECT,
      ompi_mpi_errors_return: OBJECT,
      ompi_mpi_float: OBJECT,
      ompi_mpi_double: OBJECT,
      ompi_mpi_int32_t: OBJECT,
      ompi_mpi_byte: OBJECT,
      ompi_mpi_op_sum: OBJECT,
      ompi_mpi_op_max: OBJECT,
    });
    return {
      world: symbols.ompi_mpi_comm_world,
      errorsReturn: symbols.ompi_mpi_errors_return,
      inPlace: Deno.UnsafePointer.create(1n),
      types: {
        float32: symbols.ompi_mpi_float,
        float64: symbols.ompi_mpi_double,
        int32: symbols.ompi_mpi_int32_t,
        bool: symbols.ompi_mpi_byte,
      },
      reductions: { sum: symbols.ompi_mpi_op_sum, max: symbols.ompi_mpi_op_max },
    };
  },
};
