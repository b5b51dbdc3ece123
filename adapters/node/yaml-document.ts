/** YAML text to plain data with places, refusing whatever a definition never needs: tags, duplicate keys, alias bombs. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Alias, Document, Node } from 'yaml';
import type { DefinitionPart } from '../../core/config/definition-parts.ts';
import { DEFINITION_LIMITS } from '../../core/config/limits.ts';
import type { Path, Position, Problem } from '../../core/config/problem.ts';
import { pathText, shown } from '../../core/config/problem.ts';
import { messageOf } from '../../core/failures/failures.ts';

export interface YamlSource {
  readonly text: string;
  readonly file?: string | undefined;
}

export type YamlParts =
  | { readonly ok: true; readonly parts: readonly DefinitionPart[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * `uniqueKeys` of the library compares all pairs of a mapping: a minute of work for a megabyte of keys. Keys are
 * checked below instead, once each.
 */
const OPTIONS = {
  version: '1.2',
  schema: 'core',
  uniqueKeys: false,
  prettyErrors: false,
  strict: true,
  merge: false,
} as const;

/** Far beyond any definition, and still quick to parse; the parser spends seconds on a megabyte of open brackets. */
const OPEN_BRACKETS_MAX = 1000;

function nestsWithoutEnd(text: string): boolean {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    if (depth > OPEN_BRACKETS_MAX) return true;
  }
  return false;
}

export function parseYaml(source: YamlSource): YamlParts {
  if (nestsWithoutEnd(source.text)) return { ok: false, problems: [{ path: '', ...fileOf(source), ...ENDLESS }] };
  const lines = new LineCounter();
  const parsed = parseAllDocuments(source.text, { ...OPTIONS, lineCounter: lines });
  const documents: readonly Document[] = Array.isArray(parsed) ? parsed : [];
  const place: Place = (offset) => {
    const { line, col } = lines.linePos(offset);
    return {
      ...(source.file === undefined ? {} : { file: source.file }),
      line: Math.max(1, line),
      column: Math.max(1, col),
    };
  };
  if (documents.length > DEFINITION_LIMITS.documents) {
    const change = `write at most ${DEFINITION_LIMITS.documents} documents`;
    return { ok: false, problems: [{ path: '', ...fileOf(source), got: `${documents.length} documents`, change }] };
  }
  const problems: Problem[] = [];
  const parts: DefinitionPart[] = [];
  for (const document of documents) {
    if (problems.length >= DEFINITION_LIMITS.problems) break;
    const read = readDocument(document, place);
    if (read.ok) parts.push(...read.parts);
    else problems.push(...read.problems);
  }
  return problems.length > 0
    ? { ok: false, problems: problems.slice(0, DEFINITION_LIMITS.problems) }
    : { ok: true, parts };
}

type Place = (offset: number) => Position;

function fileOf({ file }: YamlSource): { file?: string } {
  return file === undefined ? {} : { file };
}

function readDocument(document: Document, place: Place): YamlParts {
  const faults = [...document.errors, ...document.warnings].slice(0, DEFINITION_LIMITS.problems);
  if (faults.length > 0) {
    return { ok: false, problems: faults.map((fault) => ({ path: '', ...place(fault.pos[0]), ...yamlFault(fault) })) };
  }
  const { contents } = document;
  // An empty document (a comment, a closing ---) says nothing and is no part of the definition.
  if (contents === null || (isScalar(contents) && contents.value === null)) return { ok: true, parts: [] };
  const repeated = repeatedKeys(contents, place);
  if (repeated.length > 0) return { ok: false, problems: repeated };
  try {
    const value: unknown = document.toJS({ maxAliasCount: DEFINITION_LIMITS.aliases });
    return { ok: true, parts: [{ value, locate: (path) => locateIn(contents, path, place) }] };
  } catch (error) {
    const change = 'write it out: few or no aliases, and none inside its own anchor';
    return { ok: false, problems: [{ path: '', ...place(faultyAlias(document)), got: messageOf(error), change }] };
  }
}

/** The alias that names no anchor, or the first one. Few are tried, because each try reads the document. */
function faultyAlias(document: Document): number {
  const first: Alias[] = [];
  visit(document, {
    Alias: (_, alias) => (first.push(alias) > DEFINITION_LIMITS.aliases ? visit.BREAK : undefined),
  });
  const faulty = first.find((alias) => alias.resolve(document) === undefined) ?? first[0];
  return offsetOf(faulty) ?? 0;
}

const ENDLESS = { got: 'nesting without end', change: 'a definition is at most ten levels deep' } as const;

function yamlFault(fault: { readonly code: string; readonly message: string }): Pick<Problem, 'got' | 'change'> {
  const got = fault.message.split('\n')[0]?.slice(0, 160) ?? fault.code;
  switch (fault.code) {
    case 'TAG_RESOLVE_FAILED':
      return { got, change: 'remove the tag: only plain YAML (core schema) is read' };
    case 'RESOURCE_EXHAUSTION':
      return ENDLESS;
    default:
      return { got: `invalid YAML: ${got}`, change: 'correct the YAML' };
  }
}

/** A node and how it was reached; a chain, so that a deep document costs no copies of its paths. */
interface Visit {
  readonly node: unknown;
  readonly step: string | number;
  readonly from: Visit | undefined;
}

function pathOf(visit: Visit): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Visit | undefined = visit; at?.from !== undefined; at = at.from) path.unshift(at.step);
  return path;
}

/** Two values under one key: YAML would silently keep the last. */
function repeatedKeys(root: unknown, place: Place): Problem[] {
  const problems: Problem[] = [];
  const open: Visit[] = [{ node: root, step: '', from: undefined }];
  for (let current = open.pop(); current !== undefined; current = open.pop()) {
    const { node } = current;
    const from = current;
    if (problems.length >= DEFINITION_LIMITS.problems) break;
    if (isSeq(node)) node.items.forEach((item, step) => open.push({ node: item, step, from }));
    if (!isMap(node)) continue;
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const text = isScalar(key) ? String(key.value) : undefined;
      const isRepeated = text !== undefined && seen.has(text);
      if (text === undefined || text === '__proto__' || isRepeated) {
        const got =
          text === undefined ? 'a key that is not text' : `key ${shown(text)}${isRepeated ? ' a second time' : ''}`;
        const at = offsetOf(key) ?? offsetOf(node) ?? 0;
        problems.push({
          path: pathText(pathOf(from)),
          ...place(at),
          got,
          change: 'write every key once, as plain text',
        });
      } else {
        seen.add(text);
      }
      open.push({ node: value, step: text ?? '?', from });
    }
  }
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function offsetOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? node.range?.[0] : undefined;
}

/** The key of the last step that exists; an item of a list stands for itself. */
function locateIn(root: Node, path: Path, place: Place): Position {
  let node: unknown = root;
  let offset = offsetOf(root) ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair: (typeof node.items)[number] | undefined = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(step),
      );
      if (pair === undefined) break;
      offset = offsetOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      const item: unknown = node.items[step];
      if (item === undefined) break;
      offset = offsetOf(item) ?? offset;
      node = item;
    } else break;
  }
  return place(offset);
}
