/** The error of a program for what its user can mend. */
import { printable } from "./table.ts";

/** A mistake of the user: its message is all that needs to be shown. */
export class UsageError extends Error {
  override name = "UsageError";

  constructor(message: string) {
    super(printable(message));
  }
}
