/**
 * The results of comparisons as text.
 *
 * @module
 */
import { MISSING } from "../../examples/lib/format.ts";
import { textTable } from "../../examples/lib/table.ts";

/** One workload, measured on our side and on a peer's. */
export interface Pair {
  /** The workload. */
  name: string;
  /** The peer, and its form where it has several. */
  peer: string;
  /** Our milliseconds per call. */
  oursMs: number;
  /** The peer's milliseconds per call. */
  peerMs: number;
  /** The ratio to reach; `null` where none is set. */
  target: number | null;
  /** The ratio if we did nothing but products, as fast as a core can; `null` where they are few. */
  most: number | null;
}

/** The peer's time over ours: how many times faster we are. */
export function ratioOf({ oursMs, peerMs }: Pair): number {
  return peerMs / oursMs;
}

/** A pair as one line of JSON. */
export function jsonLine(pair: Pair): string {
  const { name, peer, oursMs, peerMs, target } = pair;
  const [ours_ms, peer_ms, ratio] = [oursMs, peerMs, ratioOf(pair)].map(rounded);
  const most = pair.most === null ? null : rounded(pair.most);
  return JSON.stringify({ name, peer, ours_ms, peer_ms, ratio, target, most });
}

/** All pairs as a table; a workload is named in its first line only. */
export function pairTable(pairs: readonly Pair[]): string {
  const rows = pairs.map((pair, i) => [
    pair.name === pairs[i - 1]?.name ? "" : pair.name,
    pair.peer,
    shortNumber(pair.oursMs),
    shortNumber(pair.peerMs),
    shortNumber(ratioOf(pair)),
    pair.most === null ? MISSING : shortNumber(pair.most),
    pair.target === null ? MISSING : String(pair.target),
    pair.target === null ? "" : ratioOf(pair) >= pair.target ? "met" : "missed",
  ]);
  return textTable(
    ["workload", "peer", "ours, ms", "peer, ms", "ratio", "at most", "target", ""],
    rows,
  );
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Three digits that count. */
function shortNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
