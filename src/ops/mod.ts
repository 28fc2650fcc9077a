/**
 * Operations on tensors, as functions; importing them gives tensors their methods.
 *
 * @module
 */
import { bindFluent } from "../fluent.ts";
import * as functions from "./functions.ts";

bindFluent(functions);

export * from "./functions.ts";
