/** Reads a cluster definition from YAML text or files, with the line of every problem. */
import { readFile, stat } from 'node:fs/promises';
import { validateParts, type DefinitionPart } from '../../core/config/definition-parts.ts';
import type { Validation } from '../../core/config/definition.ts';
import { DEFINITION_LIMITS } from '../../core/config/limits.ts';
import type { Problem } from '../../core/config/problem.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import { parseYaml } from './yaml-document.ts';

export interface DefinitionSource {
  /** Bytes as read or received, or text. */
  readonly content: Uint8Array | string;
  readonly file?: string | undefined;
}

/** Several sources are one definition, as if they were documents of one file. */
export function readDefinition(sources: readonly DefinitionSource[]): Validation {
  const bytes = sources.reduce((sum, { content }) => sum + byteLength(content), 0);
  if (bytes > DEFINITION_LIMITS.inputBytes) {
    const file = sources.length === 1 ? sources[0]?.file : undefined;
    const change = `at most ${DEFINITION_LIMITS.inputBytes} bytes: split the fleet into clusters`;
    return refusedBy([{ path: '', ...(file === undefined ? {} : { file }), got: `${bytes} bytes`, change }]);
  }
  const problems: Problem[] = [];
  const parts: DefinitionPart[] = [];
  for (const { content, file } of sources) {
    const text = decode(content);
    if (text === undefined) {
      const got = 'bytes that are not UTF-8 text';
      problems.push({
        path: '',
        ...(file === undefined ? {} : { file }),
        got,
        change: 'write a YAML text file in UTF-8',
      });
      continue;
    }
    const read = parseYaml({ text, file });
    if (read.ok) parts.push(...read.parts);
    else problems.push(...read.problems);
  }
  return problems.length > 0 ? refusedBy(problems) : validateParts(parts);
}

/** Reads the files, refusing an oversized one before its content is in memory. Missing or unreadable: HaError `not_found`. */
export async function loadDefinitionSources(files: readonly string[]): Promise<DefinitionSource[]> {
  return Promise.all(files.map(loadSource));
}

async function loadSource(file: string): Promise<DefinitionSource> {
  try {
    const { size } = await stat(file);
    if (size > DEFINITION_LIMITS.inputBytes) {
      throw new HaError(
        'limit_exceeded',
        `${file} has ${size} bytes; a definition has at most ${DEFINITION_LIMITS.inputBytes}`,
      );
    }
    return { file, content: await readFile(file) };
  } catch (error) {
    if (error instanceof HaError) throw error;
    throw new HaError('not_found', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

function refusedBy(problems: readonly Problem[]): Validation {
  const most = DEFINITION_LIMITS.problems;
  return { ok: false, problems: problems.slice(0, most), omitted: Math.max(0, problems.length - most) };
}

function byteLength(content: Uint8Array | string): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
}

/** undefined: not text. A NUL is valid UTF-8 and no text. */
function decode(content: Uint8Array | string): string | undefined {
  if (typeof content === 'string') return content.includes('\0') ? undefined : content;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
