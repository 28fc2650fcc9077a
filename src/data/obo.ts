/**
 * The lines of an OBO file: stanzas of tags and values.
 *
 * @module
 */

/** One stanza: its kind, where it begins, and its values by tag, in the order of the file. */
export interface OboStanza {
  /** What stands between the brackets: `Term`, `Typedef` or `Instance`. */
  kind: string;
  /** The line of the brackets, counted from 1. */
  line: number;
  /** The values of each tag, without comments and trailing modifiers. */
  values: ReadonlyMap<string, readonly string[]>;
}

/** Tags whose values are identifiers: they end at the first blank. */
const IDENTIFIERS = new Set(["id", "is_a", "replaced_by", "consider", "alt_id"]);

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", W: " " };

/** A value as it is meant: without `! comment`, `{modifiers}` and escapes. */
function cleanValue(tag: string, raw: string): string {
  const value = raw.trim();
  if (IDENTIFIERS.has(tag)) return value.match(/^\S*/)![0];
  const comment = value.search(/(?:^|\s)!/);
  return withoutModifiers(comment < 0 ? value : value.slice(0, comment)).replace(
    /\\(.)/g,
    (_, char: string) => ESCAPES[char] ?? char,
  );
}

/** A value without what stands in braces at its end. */
function withoutModifiers(value: string): string {
  const text = value.trimEnd();
  if (!text.endsWith("}") || text.endsWith("\\}")) return value;
  for (let at = text.length - 2; at >= 0; at--) {
    if (text[at - 1] === "\\") continue;
    if (text[at] === "}") return value;
    if (text[at] === "{") return text.slice(0, at).trimEnd();
  }
  return value;
}

/** The stanzas of an OBO text; the header is left out. Throws where a line cannot be understood. */
export function splitStanzas(name: string, text: string): OboStanza[] {
  const stanzas: OboStanza[] = [];
  let values: Map<string, string[]> | undefined;
  text.split(/\r?\n/).forEach((source, i) => {
    const line = source.trim();
    if (line === "" || line.startsWith("!")) return;
    const kind = line.match(/^\[(\w+)\](?:\s*!.*)?$/)?.[1];
    if (kind !== undefined) {
      values = new Map();
      stanzas.push({ kind, line: i + 1, values });
      return;
    }
    const colon = line.indexOf(":");
    if (colon < 1) {
      throw new SyntaxError(
        `Cannot read ${name} as line ${i + 1} must be "tag: value" or "[Term]": ` +
          `current value is "${line.slice(0, 60)}"`,
      );
    }
    const tag = line.slice(0, colon);
    const value = cleanValue(tag, line.slice(colon + 1));
    if (values?.get(tag)?.push(value) === undefined) values?.set(tag, [value]);
  });
  return stanzas;
}
