/** The figures of the report on perturbations, as SVG. */
import { formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";

/** A gene's change against control, as it is and as it was predicted. */
export interface GeneChange {
  gene: number;
  observed: number;
  predicted: number;
  /** Whether it is among the most clearly changed genes. */
  top: boolean;
  perturbed: boolean;
}

/** Where a square plot lies in its drawing. */
const PLOT = { size: 300, left: 44, top: 10, inner: 240 };

/** Observed against predicted change up to ±most, a dot per gene, with the line of equality. */
export function changePlot(genes: readonly GeneChange[], most: number): Markup {
  const { size, left, top, inner } = PLOT;
  const at = (value: number) => (value + most) / (2 * most) * inner;
  const x = (value: number) => (left + at(value)).toFixed(1);
  const y = (value: number) => (top + inner - at(value)).toFixed(1);
  const ticks = [-1, -0.5, 0, 0.5, 1].map((part) => part * most);
  const tick = (value: number) =>
    markup`<path d="M${x(value)},${top}V${top + inner}M${left},${y(value)}H${left + inner}"
stroke="var(--line)" fill="none"/><text x="${x(value)}" y="${
      top + inner + 16
    }" text-anchor="middle">${signed(value)}</text><text x="${left - 6}" y="${
      Number(y(value)) + 4
    }" text-anchor="end">${signed(value)}</text>\n`;
  const dot = ({ gene, observed, predicted, top: clear, perturbed }: GeneChange) =>
    markup`<circle cx="${x(observed)}" cy="${y(predicted)}" r="${perturbed ? 5 : 3.5}" fill="${
      clear ? "var(--wrong)" : "var(--accent)"
    }" stroke="${perturbed ? "currentColor" : "var(--page)"}" stroke-width="${
      perturbed ? 1.6 : 0.5
    }"><title>Gene ${gene + 1}: observed ${formatMetric(observed)}, predicted ${
      formatMetric(predicted)
    }</title></circle>\n`;
  return markup`<svg viewBox="0 0 ${size} ${size}" width="${size}" height="${size}" role="img"
aria-label="Observed and predicted change" font-size="11" fill="currentColor"
font-family="system-ui, sans-serif">
${ticks.map(tick)}<path d="M${x(-most)},${y(-most)}L${x(most)},${y(most)}" stroke="var(--quiet)"
stroke-dasharray="4,3"/>
${genes.toSorted((a, b) => Number(a.top) - Number(b.top)).map(dot)}<text x="${
    left + inner / 2
  }" y="${size - 12}" text-anchor="middle">observed change →</text><text x="12" y="${
    top + inner / 2
  }" text-anchor="middle" transform="rotate(-90 12 ${
    top + inner / 2
  })">predicted change →</text></svg>`;
}

function signed(value: number): string {
  return value === 0 ? "0" : `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(1)}`;
}

/** A line of the map: a perturbation's changes, observed or predicted. */
export interface MapRow {
  /** What stands before the line. */
  label: string;
  changes: ArrayLike<number>;
  /** Whether there is a gap above the line. */
  gap: boolean;
}

/** Sides of a cell of the map, and room for the labels. */
const CELL = { width: 12, height: 15, label: 200, gap: 8 };

/**
 * A line per perturbation, a column per gene in their order; changes of `most` have the full
 * colour.
 */
export function changeMap(rows: readonly MapRow[], order: readonly number[], most: number): Markup {
  const { width, height, label, gap } = CELL;
  let y = 0;
  const lines = rows.map((row) => {
    y += row.gap ? gap : 0;
    const top = y;
    y += height;
    const cell = (gene: number, column: number) => {
      const change = row.changes[gene]!;
      const strength = Math.min(1, Math.abs(change) / most);
      return markup`<rect x="${label + column * width}" y="${top}" width="${width - 1}" height="${
        height - 1
      }" fill="var(${change > 0 ? "--wrong" : "--accent"})" fill-opacity="${
        strength.toFixed(2)
      }"/>`;
    };
    return markup`<text x="${label - 8}" y="${top + 11}" text-anchor="end">${row.label}</text>${
      order.map(cell)
    }\n`;
  });
  const total = label + order.length * width;
  return markup`<svg viewBox="0 0 ${total} ${y + 2}" width="${total}" height="${y + 2}" role="img"
aria-label="Observed and predicted changes of all genes" font-size="11" fill="currentColor"
font-family="system-ui, sans-serif">
${lines}</svg>`;
}
