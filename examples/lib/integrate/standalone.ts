/** The figures as SVG files of their own, for documentation: light colours, nothing to load. */
import { markup } from "../html.ts";
import { writeAtomically } from "../training/mod.ts";
import { legendSymbol } from "../plots.ts";
import { ablationPlot, cloudPlot, type Group, groupsOf, MEASURES } from "./figures.ts";
import type { IntegrationResult } from "./result.ts";

/** The colours of the page in light, which the figures name. */
const COLORS: Readonly<Record<string, string>> = {
  page: "#fff",
  text: "#1b1b1f",
  line: "#d9dbe0",
  accent: "#0072b2",
  wrong: "#d55e00",
  "type-0": "#0072b2",
  "type-1": "#e69f00",
  "type-2": "#009e73",
  "type-3": "#cc79a7",
  "type-4": "#56b4e9",
  "type-5": "#d55e00",
  "type-6": "#1b1b1f",
};

/** Cells drawn per panel: enough to see clouds, few enough for a small file. */
const CELLS = 300;

/** A piece of a figure and where it stands. */
interface Piece {
  svg: string;
  x: number;
  y: number;
}

/** The files that {@linkcode writeFigures} writes. */
export const FIGURES: readonly string[] = ["integrate_cells.svg", "integrate_ablation.svg"];

export async function writeFigures(folder: string, result: IntegrationResult): Promise<void> {
  await writeAtomically(`${folder}/integrate_cells.svg`, cellsFigure(result));
  await writeAtomically(`${folder}/integrate_ablation.svg`, ablationFigure(result));
}

function cellsFigure(result: IntegrationResult): string {
  const { typeNames, batchNames, types, batches, before, after } = result;
  const thin = (groups: Group[]) =>
    groups.map((group) => ({
      ...group,
      cells: group.cells.filter((cell) => evenly(cell, CELLS / types.length)),
    }));
  const rows = [
    ["by batch", thin(groupsOf(batchNames, batches))],
    ["by cell type", thin(groupsOf(typeNames, types))],
  ] as const;
  const pieces = rows.flatMap(([title, groups], row): Piece[] => {
    const y = 466 * row;
    const clouds = [before, after].flatMap((picture, column) => [
      text(`${column === 0 ? "Before" : "After"}, ${title}`, 460 * column + 16, y + 24),
      { svg: cloudPlot(picture, groups, () => "").source, x: 460 * column + 4, y: y + 32 },
    ]);
    return [...clouds, ...legend(groups, 16, y + 446)];
  });
  return compose(920, 932, pieces);
}

/** Whether a cell is among a share of the cells that is spread evenly, whatever their order. */
function evenly(cell: number, share: number): boolean {
  return (cell * 0.6180339887498949) % 1 < share;
}

function ablationFigure({ ablation, repeats }: IntegrationResult): string {
  const drawn = MEASURES.filter(({ key }) => key === "ilisi" || key === "clisi" || key === "ari");
  const height = 70 + 22 * ablation.length;
  const pieces = drawn.map((measure, i): Piece => ({
    svg: ablationPlot(ablation, repeats[0]!.before, measure).source,
    x: 0,
    y: i * (height + 10),
  }));
  return compose(400, drawn.length * (height + 10), pieces);
}

function text(content: string, x: number, y: number, size = 15): Piece {
  const { source } = markup`<text font-size="${size}" fill="${COLORS.text}">${content}</text>`;
  return { svg: source, x, y };
}

function legend(groups: readonly Group[], x: number, y: number): Piece[] {
  let at = x;
  return groups.flatMap(({ name, look }) => {
    const entry = [
      { svg: legendSymbol(look).source, x: at, y: y - 11 },
      text(name, at + 18, y, 12),
    ];
    at += 40 + 7 * name.length;
    return entry;
  });
}

/** One drawing of several: colours by value, no tooltips, coordinates to a tenth of a pixel. */
function compose(width: number, height: number, pieces: readonly Piece[]): string {
  const placed = pieces.map(({ svg, x, y }) => `<g transform="translate(${x},${y})">${svg}</g>`)
    .join("\n");
  const drawing = placed
    .replace(/<title>[^<]*<\/title>/g, "")
    .replace(/var\(--([a-z0-9-]+)\)/g, (_, name: string) => COLORS[name] ?? "#000")
    .replace(
      /<[^>]+>/g,
      (tag) =>
        tag.replace(/\d+\.\d{2,}/g, (number) => String(Math.round(Number(number) * 10) / 10)),
    );
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
    `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
    `font-family="system-ui, sans-serif" color="${COLORS.text}">\n` +
    `<rect width="100%" height="100%" fill="${COLORS.page}"/>\n${drawing}\n</svg>\n`;
}
