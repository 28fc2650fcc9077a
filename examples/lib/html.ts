/** Markup that escapes by default, and the page around a report. */
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that is safe to place in a page as it is. */
export class Markup {
  /** The HTML source. */
  readonly source: string;

  /** Marks text as HTML; use {@linkcode markup} for anything that holds data. */
  constructor(source: string) {
    this.source = source;
  }
}

/** What {@linkcode markup} accepts between its pieces of text; `undefined` leaves nothing. */
export type Fragment = string | number | Markup | undefined | readonly Fragment[];

function render(fragment: Fragment): string {
  if (fragment === undefined) return "";
  if (fragment instanceof Markup) return fragment.source;
  if (typeof fragment === "object") return fragment.map(render).join("");
  return String(fragment).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/**
 * Template tag: pieces of text are HTML, values are data and are escaped unless they are {@linkcode
 * Markup} already.
 */
export function markup(pieces: TemplateStringsArray, ...values: Fragment[]): Markup {
  return new Markup(
    pieces.reduce((text, piece, index) => text + render(values[index - 1]) + piece),
  );
}

// The types take Okabe and Ito's palette without its yellow, which is lost on white and which, when
// darkened, looks orange to red-green blind readers; its black is the colour of the text.
const STYLE = `
:root { color-scheme: light dark; --page: #fff; --text: #1b1b1f; --quiet: #5c5f66; --line: #d9dbe0;
  --panel: #f5f6f8; --accent: #0072b2; --wrong: #d55e00; --alert: #fff1d6; --bar: #b9d9ee;
  --cell: #005a8f;
  --type-0: #0072b2; --type-1: #e69f00; --type-2: #009e73; --type-3: #cc79a7; --type-4: #56b4e9;
  --type-5: #d55e00; --type-6: var(--text); }
@media (prefers-color-scheme: dark) { :root { --page: #15171b; --text: #e8e9ec; --quiet: #a5a9b2;
  --line: #3a3e46; --panel: #1f2228; --accent: #2b8fd0; --wrong: #ff8a3d; --alert: #4a3508;
  --bar: #24567a; --cell: #1f7ab8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 16px 64px; max-width: 1120px; background: var(--page);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 1.2rem; margin: 40px 0 4px; }
p { margin: 4px 0 12px; }
.quiet, figcaption { color: var(--quiet); font-size: 0.9rem; }
.note { background: var(--alert); border-left: 4px solid #e69f00; padding: 8px 12px;
  margin: 12px 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px;
  margin: 20px 0; }
.tiles div { background: var(--panel); border-radius: 6px; padding: 10px 14px; }
.tiles b { display: block; font-size: 1.45rem; line-height: 1.2;
  font-variant-numeric: tabular-nums; }
figure { margin: 0; }
figure + figure { margin-top: 20px; }
figcaption { margin: 4px 0 8px; max-width: 78ch; }
svg[viewBox] { display: block; height: auto; max-width: 100%; overflow: visible; }
svg text, svg tspan { white-space: pre; }
.panels { display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fit, minmax(min(var(--least), 100%), 1fr)); }
.panels h3 { font-size: 0.95rem; margin: 8px 0 2px; }
h3 .quiet { font-size: 0.85rem; font-weight: 400; }
.panels svg[viewBox] { width: 100%; max-width: var(--most); }
.legend svg[viewBox] { flex: none; width: 14px; }
.paired figure { display: grid; grid-row: span 4; grid-template-rows: subgrid; gap: 0; margin: 0; }
.scroll { overflow-x: auto; }
.scroll svg[viewBox] { max-width: none; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; margin: 8px 0;
  padding: 0; font-size: 0.9rem; }
.paired .legend { align-self: start; }
.legend li { display: flex; align-items: center; gap: 6px; }
.ramp { display: inline-block; width: 140px; height: 12px; border: 1px solid var(--line);
  background: linear-gradient(to right, transparent, var(--cell)); }
table { border-collapse: separate; border-spacing: 0; font-size: 0.9rem; line-height: 22px;
  font-variant-numeric: tabular-nums; width: 100%; }
th, td { text-align: right; padding: 4px 10px 4px 0; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, .words { text-align: left; }
thead th { color: var(--quiet); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; min-width: 150px; position: sticky; left: 0; background: var(--page); }
@media (max-width: 700px) { tbody th { max-width: 42vw; } }
tbody th, td.words, dd, .legend li { white-space: normal; overflow-wrap: anywhere; }
.words { min-width: 190px; padding-left: 10px; }
.bar { display: block; width: 84px; margin-left: auto; padding-right: 6px;
  background: linear-gradient(to right, var(--bar) var(--share), var(--panel) 0); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 4px 24px;
  margin: 8px 0; }
dl div { display: flex; justify-content: space-between; gap: 12px;
  border-bottom: 1px solid var(--line); }
dt { color: var(--quiet); }
dd { margin: 0; text-align: right; }
pre { background: var(--panel); border-radius: 6px; padding: 10px 14px; overflow-x: auto;
  font-size: 0.85rem; line-height: 1.4; }
`;

/**
 * A complete page: style inside, nothing to load, and a policy that forbids scripts and requests.
 */
export function page(title: string, body: Markup): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
${body}
</body>
</html>
`.source;
}
