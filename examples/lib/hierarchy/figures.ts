/** The tree of types with its errors, as SVG. */
import { type Markup, markup } from "../html.ts";
import { shorten } from "../plots.ts";
import type { Measures } from "./measures.ts";
import { drawingOrder, type TreeNode, type TypeTree } from "./tree.ts";

interface Layout {
  /** Height of a line. */
  row: number;
  /** Where bars begin. */
  bars: number;
  /** How long the longest bar is. */
  longest: number;
  /** How far bars hang below the middle of the name. */
  below: number;
  /** The most letters of a name, at the root. */
  letters: number;
}

/** Bars beside the names, for windows, and below them, for phones. */
const WIDE: Layout = { row: 30, bars: 330, longest: 380, below: -11, letters: 44 };
const NARROW: Layout = { row: 50, bars: 112, longest: 190, below: 9, letters: 46 };

/** How far a node stands to the right of the one above. */
const STEP = 18;
/** Room for the numbers behind the bars. */
const NUMBERS = 40;

/** The colours of both classifiers. */
export const COLORS = { flat: "var(--wrong)", hierarchical: "var(--accent)" } as const;

/**
 * Draws the tree from left to right and top to bottom, a line per node, with two bars each: how
 * many errors the flat and the hierarchical classifier make there.
 */
export function treeFigure(tree: TypeTree, flat: Measures, hierarchical: Measures): Markup {
  const drawing = (layout: Layout) => draw(tree, flat, hierarchical, layout);
  return markup`<style>.narrow{display:none}
@media(max-width:780px){.wide{display:none}.narrow{display:block}}</style>
<div class="wide">${drawing(WIDE)}</div>
<div class="narrow">${drawing(NARROW)}</div>`;
}

function draw(tree: TypeTree, flat: Measures, hierarchical: Measures, layout: Layout): Markup {
  const order = drawingOrder(tree);
  const most = Math.max(1, ...flat.errorsAt, ...hierarchical.errorsAt);
  const middle = (row: number) => row * layout.row + 17;
  const line = new Map(order.map((node, row) => [node, middle(row)]));
  const height = order.length * layout.row + 8;
  const width = layout.bars + layout.longest + NUMBERS;
  const rows = order.map((node, row) => {
    const errors = [flat.errorsAt[node]!, hierarchical.errorsAt[node]!] as const;
    return markup`${connector(tree, node, line)}${label(tree.nodes[node]!, middle(row), layout)}${
      bars(errors, most, middle(row), layout)
    }`;
  });
  return markup`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"
aria-label="Errors at each fork of the tree of types" font-size="13" fill="currentColor"
font-family="system-ui, sans-serif">
${rows}</svg>`;
}

/** The line from the node above: down, then to the right. */
function connector({ nodes }: TypeTree, node: number, line: ReadonlyMap<number, number>): Markup {
  const { parent, depth } = nodes[node]!;
  if (parent < 0) return markup``;
  const x = (depth - 1) * STEP + 6;
  const [from, to] = [line.get(parent)! + 8, line.get(node)!];
  return markup`<path d="M${x},${from}V${to}H${x + STEP - 6}" fill="none" stroke="var(--quiet)"
opacity="0.6"/>\n`;
}

function label({ name, types, depth, children }: TreeNode, y: number, { letters }: Layout): Markup {
  const short = shorten(name, letters - Math.round(depth * STEP / 7));
  const group = children.length > 0;
  return markup`<text x="${depth * STEP + 2}" y="${y + 4}" font-weight="${
    group ? 600 : 400
  }">${short}<title>${name}${group ? ` (${types.length} types)` : ""}</title></text>\n`;
}

function bars(
  errors: readonly [number, number],
  most: number,
  y: number,
  { bars: x, longest, below }: Layout,
): Markup {
  const bar = (count: number, color: string, top: number) => {
    const length = count / most * longest;
    return markup`<rect x="${x}" y="${top}" width="${length.toFixed(1)}" height="10"
fill="${color}"/><text x="${(x + length + 5).toFixed(1)}" y="${
      top + 9
    }" font-size="11" fill="var(--quiet)">${count}</text>\n`;
  };
  return markup`${bar(errors[0], COLORS.flat, y + below)}${
    bar(errors[1], COLORS.hierarchical, y + below + 11)
  }`;
}
