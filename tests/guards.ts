/** Guards of registries, whose messages say which line to add where. */
import { assert } from "@std/assert";

/** Asserts that a registry has a line for every name, and no other line. */
export function assertListed(
  place: string,
  listed: readonly string[],
  needed: readonly string[],
): void {
  const missing = needed.filter((name) => !listed.includes(name));
  const left = listed.filter((name) => !needed.includes(name));
  assert(missing.length === 0, `add a line for ${missing.join(", ")} to ${place}`);
  assert(left.length === 0, `take ${left.join(", ")} out of ${place}: there is no such name`);
}
