/** Numbers as people read them, in reports and on terminals. */
/** What stands where a number could not be computed. */
export const MISSING = "–";

/** A measure with three decimals; a dash for NaN, infinity and `undefined`. */
export function formatMetric(value: number | undefined): string {
  return value !== undefined && Number.isFinite(value) ? value.toFixed(3) : MISSING;
}

/** A share as a percentage without decimals; a dash for NaN, infinity and `undefined`. */
export function formatPercent(share: number | undefined): string {
  return share !== undefined && Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : MISSING;
}

/** A whole number with separators of thousands, such as `68,579`. */
export function formatCount(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en") : MISSING;
}

/** A duration in the units that suit its size: `4.2 s`, `3 min 05 s` or `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return MISSING;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  if (total < 3600) return `${Math.floor(total / 60)} min ${two(total % 60)} s`;
  const minutes = Math.round(total / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
