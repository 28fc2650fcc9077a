/** What the system says where a file cannot be written, in words. */
import { UsageError } from "./usage_error.ts";

/** Codes of the system, and what they mean to who reads them. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EDQUOT: "the disk quota is used up",
  EEXIST: "there is a file where a folder is needed",
  EFBIG: "it is too large for this disk",
  EIO: "the disk fails",
  EISDIR: "there is a folder of this name",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "its folder does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of its path is a file, not a folder",
  ENOTEMPTY: "there is a folder of this name",
  EPERM: "permission is denied",
  EROFS: "the disk is read-only",
};

/** A file that could not be written: its message is all that needs to be shown. */
export class WriteError extends UsageError {
  override name = "WriteError";
}

/** What the system says, in words; `undefined` where the error is none of its. */
export function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof Deno.errors.NotCapable) {
    return `Deno has no permission: ${error.message.replace(/^Requires /, "it needs ")}`;
  }
  const { code } = error as { code?: unknown };
  if (typeof code !== "string" || !/^E[A-Z]+$/.test(code)) return undefined;
  return REASONS[code] ?? `the system says: ${error.message}`;
}

/**
 * The error for a file that could not be written, with what is kept; the given one where it is none
 * of the system's.
 */
export function cannotWrite(path: string, error: unknown, kept?: string): unknown {
  const reason = reasonOf(error);
  if (reason === undefined) return error;
  return new WriteError(
    `Cannot write "${path}" as ${reason}${kept === undefined ? "" : `: ${kept}`}`,
  );
}
