/** What reports are made of: their frame, tiles, tables, bars and legends. */
import { formatDuration, formatMetric } from "./format.ts";
import { type Fragment, Markup, markup, page } from "./html.ts";
import { legendSymbol, type Look } from "./plots.ts";

/** A report: one HTML file that loads nothing and runs no script. */
export function reportPage(title: string, head: Fragment, sections: readonly Fragment[]): string {
  return page(
    title,
    markup`<header>
<h1>${title}</h1>
${head}
</header>
<main>
${sections.map((section) => markup`${section}\n`)}</main>`,
  );
}

/** Numbers and what they are, the duration of the run last. */
export function tiles(
  entries: readonly (readonly [value: string, label: string])[],
  elapsedSeconds: number,
  style: Markup = markup``,
): Markup {
  const all = [...entries, [formatDuration(elapsedSeconds), "duration of the run"] as const];
  return markup`<div class="tiles"${style}>
${
    all.map(([value, label]) =>
      markup`<div><b>${value}</b><span class="quiet">${label}</span></div>\n`
    )
  }</div>`;
}

/** An entry of a table with a bar, from 0 to 1. */
export function bar(value: number | undefined): Markup {
  const share = Number.isFinite(value) ? Math.max(0, Math.min(100, 100 * value!)) : 0;
  return markup`<td><span class="bar" style="--share:${share.toFixed(1)}%">${
    formatMetric(value)
  }</span></td>`;
}

/**
 * A table that scrolls sideways where the window is narrow: titles of columns, or rows of them;
 * `words` are titles of columns that hold words.
 */
export function table(
  label: string,
  titles: readonly string[] | Markup,
  rows: Fragment,
  words: readonly string[] = [],
): Markup {
  const title = (text: string) =>
    words.includes(text)
      ? markup`<th scope="col" class="words">${text}</th>`
      : markup`<th scope="col">${text}</th>`;
  const head = titles instanceof Markup ? titles : markup`<tr>${titles.map(title)}</tr>`;
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
<table><thead>${head}</thead>
<tbody>
${rows}</tbody></table>
</div>`;
}

/** What symbols stand for. */
export function legend(entries: readonly (readonly [Look, string])[]): Markup {
  return markup`<ul class="legend">
${entries.map(([look, name]) => markup`<li>${legendSymbol(look)}${name}</li>\n`)}</ul>`;
}

/** What the lines of {@linkcode curvePlot} stand for. */
export function curveLegend(): Markup {
  const line = (color: string, dashes: string, text: string) =>
    markup`<li><svg width="34" height="8" aria-hidden="true"><path d="M0,4H34" stroke="${color}"
stroke-width="2" stroke-dasharray="${dashes}"/></svg>${text}</li>`;
  return markup`<ul class="legend">${line("var(--accent)", "none", "training cells")}${
    line("var(--wrong)", "5,3", "held-out cells")
  }</ul>`;
}

/** The settings of a run, and whatever belongs below them. */
export function settingsSection(
  settings: Readonly<Record<string, string | number | boolean>>,
  below: Fragment = undefined,
): Markup {
  const entry = ([name, value]: [string, string | number | boolean]) =>
    markup`<div><dt>${name}</dt><dd>${String(value)}</dd></div>\n`;
  return markup`<section>
<h2>Settings</h2>
<dl>
${Object.entries(settings).map(entry)}</dl>
${below}</section>`;
}
