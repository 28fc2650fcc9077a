/**
 * The settings of a run, as the last section of its report.
 *
 * @module
 */
import { type Markup, markup } from "./html.ts";

/** Names and values, and whatever belongs below them. */
export function settingsSection(
  settings: Readonly<Record<string, string | number | boolean>>,
  below: Markup = markup``,
): Markup {
  const entry = ([name, value]: [string, string | number | boolean]) =>
    markup`<div><dt>${name}</dt><dd>${String(value)}</dd></div>\n`;
  return markup`<section>
<h2>Settings</h2>
<dl>
${Object.entries(settings).map(entry)}</dl>
${below}</section>`;
}
