/** Observable Plot without a browser, as SVG text in the style of the reports. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { Markup } from "./html.ts";

type PlotDocument = NonNullable<Plot.PlotOptions["document"]>;

/** What is asked of a drawing: the types of both packages assume a browser's, absent here. */
interface Drawing {
  outerHTML: string;
  querySelector(selector: string): { remove(): void } | null;
}

/** The size of text in figures, in pixels. */
export const FONT = 12;

export function draw(options: Plot.PlotOptions): Markup {
  const { document } = parseHTML("<html></html>") as unknown as { document: PlotDocument };
  const style = { fontSize: `${FONT}px`, background: "none" };
  const svg = Plot.plot({ ...options, document, style }) as unknown as Drawing;
  svg.querySelector("style")?.remove(); // The page holds the same rules, once.
  return new Markup(svg.outerHTML);
}
