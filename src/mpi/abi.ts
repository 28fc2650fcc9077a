/**
 * What one family of MPI libraries has for the names of the standard.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import type { Reduction } from "./transport.ts";

/** A communicator, type or operation: an address or a number, by library. */
export type Handle = Deno.PointerValue | number;

/** The standard's predefined objects that are used here. */
export interface Constants {
  /** `MPI_COMM_WORLD`: all processes. */
  world: Handle;
  /** `MPI_ERRORS_RETURN`: errors come back as codes. */
  errorsReturn: Handle;
  /** `MPI_IN_PLACE`: the values to send lie where the result goes. */
  inPlace: Deno.PointerValue;
  /** The types of numbers. */
  types: Record<DType, Handle>;
  /** The operations of reductions. */
  reductions: Record<Reduction, Handle>;
}

/** A family of libraries with one binary interface. */
export interface Abi {
  /** The family's name. */
  readonly name: "Open MPI" | "MPICH";
  /** The files that hold it, the likeliest first. */
  readonly files: readonly string[];
  /** How handles are passed. */
  readonly handle: "pointer" | "i32";
  /** The predefined objects in this file; throws where it is of another family. */
  constants(file: string): Constants;
}
