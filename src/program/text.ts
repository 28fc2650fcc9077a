/**
 * Numbers as text, for messages and plans.
 *
 * @module
 */

/** A number of bytes: `1.5 KiB`. */
export function formatBytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, n < 1 ? 0 : Math.floor(Math.log2(n) / 10));
  return `${Number((n / 1024 ** power).toPrecision(3))} ${units[power]}`;
}
