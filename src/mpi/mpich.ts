/**
 * MPICH and all that share its binary interface: handles are numbers fixed in `mpi.h`.
 *
 * @module
 */
import type { Abi } from "./abi.ts";

/** MPICH 3 and 4, MVAPICH2, Intel MPI, Cray MPICH. */
export const MPICH: Abi = {
  name: "MPICH",
  files: ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib"],
  handle: "i32",
  constants(file) {
    // The MPI_DUP_FN of this family's interface, and of no other: dlopen throws where it is missing.
    Deno.dlopen(file, { MPIR_Dup_fn: { type: "pointer" } });
    return {
      world: 0x44000000,
      errorsReturn: 0x54000001,
      inPlace: Deno.UnsafePointer.create(0xffff_ffff_ffff_ffffn),
      types: { float32: 0x4c00040a, float64: 0x4c00080b, int32: 0x4c000439, bool: 0x4c00010d },
      reductions: { sum: 0x58000003, max: 0x58000001 },
    };
  },
};
