/** Elements of a page, briefly. */
/// <reference lib="dom" />

export type Child = Node | string | undefined;

/** `true` is an attribute without a value, `false` and `undefined` none. */
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

function fill<E extends Element>(made: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : `${value}`);
    }
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Makes an element; text is never read as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

export function paragraph(name: string, text: string, attributes: Attributes = {}): HTMLElement {
  return element("p", { class: name, ...attributes }, text);
}

/** A table; what is no text is a cell already. */
export function table(
  heads: readonly (string | Node)[],
  rows: readonly (readonly (string | Node)[])[],
): HTMLElement {
  const line = (tag: "th" | "td", cells: readonly (string | Node)[]) =>
    element("tr", {}, ...cells.map((cell) => cell instanceof Node ? cell : element(tag, {}, cell)));
  const body = element("tbody", {}, ...rows.map((row) => line("td", row)));
  return element("table", {}, element("thead", {}, line("th", heads)), body);
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}"`);
  return found;
}

/** A number for people: four digits, an exponent only where it is needed, and a true minus sign. */
export function formatNumber(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "not a number" : `${x > 0 ? "" : "−"}∞`;
  const size = Math.abs(x);
  const isShort = size === 0 || (size >= 1e-3 && size < 1e6);
  const text = isShort ? String(Number(x.toPrecision(4))) : x.toExponential(2);
  return text.replaceAll("-", "−").replace("e+", "e");
}
