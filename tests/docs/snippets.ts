/**
 * The examples of the documentation as tests of a few modules: a module for each would start an
 * isolate for each.
 *
 * @module
 */

/** An example. */
export interface Snippet {
  /** Where it stands: file, line, and the title of its `@example`. */
  name: string;
  /** What it imports, by local name. */
  imports: Map<string, Binding>;
  /** The rest. */
  body: string;
}

/** What a name stands for. */
export interface Binding {
  /** The module, as the test module names it. */
  from: string;
  /** The name there; `*` for the module itself. */
  imported: string;
  /** Whether only its type is asked for. */
  isType: boolean;
}

const FENCE = /^([ \t]*(?:\* )?)```ts[ \t]*\n([\s\S]*?)^[ \t]*(?:\* )?```[ \t]*$/gm;
const IMPORT = /^import\s+(type\s+)?(?:\{([^}]*)\}|\*\s+as\s+(\w+))\s+from\s+"([^"]+)";?[ \t]*$/gm;

/**
 * The examples in a text: fences of `ts`, those marked `ignore` aside.
 *
 * @param path The file's path, for names.
 * @param text The file: TypeScript, whose examples stand in comments, or Markdown.
 * @param resolve Turns a relative import into one of the test module.
 * @returns The examples in order.
 * @throws {SyntaxError} If an import has a form that is not understood.
 */
export function findSnippets(
  path: string,
  text: string,
  resolve: (specifier: string) => string,
): Snippet[] {
  return [...text.matchAll(FENCE)].map((match) => {
    const before = text.slice(0, match.index);
    const isComment = match[1]!.includes("*");
    const code = isComment ? match[2]!.replace(/^[ \t]*\* ?/gm, "") : match[2]!;
    const title = isComment ? before.match(/@example ([^\n]*)\n[^\n]*$/)?.[1] : undefined;
    const line = before.split("\n").length;
    const name = `${path}:${line}${title === undefined ? "" : ` ${title}`}`;
    return { name, ...separate(name, code, resolve) };
  });
}

function separate(
  name: string,
  code: string,
  resolve: (specifier: string) => string,
): Omit<Snippet, "name"> {
  const imports = new Map<string, Binding>();
  const body = code.replace(IMPORT, (_, type, list: string | undefined, star, specifier) => {
    const from = resolve(specifier);
    if (star !== undefined) imports.set(star, { from, imported: "*", isType: Boolean(type) });
    for (const entry of (list ?? "").split(",").map((part) => part.trim()).filter(Boolean)) {
      const [, own, imported, local] = entry.match(/^(type\s+)?(\w+)(?:\s+as\s+(\w+))?$/)!;
      const isType = Boolean(type ?? own);
      imports.set(local ?? imported!, { from, imported: imported!, isType });
    }
    return "";
  }).replace(/^export /gm, "");
  if (/^(import|export)\b/m.test(body)) {
    throw new SyntaxError(`Cannot read the example at ${name}: its imports or exports are unusual`);
  }
  return { imports, body };
}

/** Examples whose imports agree. */
interface Group {
  snippets: Snippet[];
  imports: Map<string, Binding>;
}

/** Modules of tests that hold all examples, as few as clashing imports allow. */
export function snippetModules(snippets: readonly Snippet[]): string[] {
  const groups: Group[] = [];
  for (const snippet of snippets) {
    let group = groups.find(({ imports }) => agrees(imports, snippet.imports));
    if (group === undefined) groups.push(group = { snippets: [], imports: new Map() });
    group.snippets.push(snippet);
    for (const [local, binding] of snippet.imports) {
      const isType = binding.isType && (group.imports.get(local)?.isType ?? true);
      group.imports.set(local, { ...binding, isType });
    }
  }
  return groups.map(print);
}

function agrees(held: Group["imports"], wanted: Group["imports"]): boolean {
  return [...wanted].every(([local, { from, imported }]) => {
    const other = held.get(local);
    return other === undefined || (other.from === from && other.imported === imported);
  });
}

function print({ snippets, imports }: Group): string {
  const lines = [...imports].map(([local, { from, imported, isType }]) => {
    const name = imported === local ? local : `${imported} as ${local}`;
    return imported === "*"
      ? `import * as ${local} from "${from}";`
      : `import { ${isType ? "type " : ""}${name} } from "${from}";`;
  });
  const tests = snippets.map(({ name, body }) =>
    `Deno.test(${JSON.stringify(name)}, async () => {\n${body}\n});`
  );
  return `// Generated from the documentation.\n${lines.join("\n")}\n\n${tests.join("\n\n")}\n`;
}
