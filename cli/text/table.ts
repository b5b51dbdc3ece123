/** Aligned tables that fit a terminal: the widest columns give way and wrap. */
import { clean, type Paint, plain, type Tone } from './words.ts';

export const WIDTH = 100;
const GAP = 2;
const NARROWEST = 6;

export type Cell = string | { readonly text: string; readonly tone: Tone };

export interface TableOptions {
  readonly paint?: Paint;
  readonly width?: number;
  readonly indent?: number;
}

/** Lines without trailing blanks. An empty head is left out. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions = {},
): string[] {
  const { paint = plain, width = WIDTH, indent = 0 } = options;
  const titles: Cell[] = head.map((text) => ({ text, tone: 'faint' }));
  const all = head.some((title) => title !== '') ? [titles, ...rows] : rows;
  const widths = fitted(
    head.map((_, column) => Math.max(0, ...all.map((row) => textOf(row[column]).length))),
    width - indent,
  );
  return all.flatMap((row) => rowLines(row, widths, paint)).map((line) => `${' '.repeat(indent)}${line}`.trimEnd());
}

function textOf(cell: Cell | undefined): string {
  return clean(typeof cell === 'object' ? cell.text : (cell ?? ''));
}

function fitted(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, w) => sum + w, 0) + GAP * (widths.length - 1) - width;
  for (; excess > 0; excess -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    const now = widths[widest] ?? 0;
    if (now <= NARROWEST) break;
    widths[widest] = now - 1;
  }
  return widths;
}

function rowLines(row: readonly Cell[], widths: readonly number[], paint: Paint): string[] {
  const cells = widths.map((width, column) => wrap(textOf(row[column]), width));
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, column) => {
        const text = lines[line] ?? '';
        const cell = row[column];
        const painted = text !== '' && typeof cell === 'object' ? paint(text, cell.tone) : text;
        const isLast = column === cells.length - 1;
        return isLast ? painted : painted + ' '.repeat((widths[column] ?? 0) - text.length);
      })
      .join(' '.repeat(GAP)),
  );
}

/** Breaks at blanks; a word longer than the width is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((long) => cut(long, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function cut(word: string, width: number): string[] {
  const size = Math.max(1, width);
  if (word.length <= size) return [word];
  return Array.from({ length: Math.ceil(word.length / size) }, (_, i) => word.slice(i * size, (i + 1) * size));
}

/** A paragraph within the width, its lines after the first indented. */
export function paragraph(text: string, indent = 0): string[] {
  return wrap(clean(text), WIDTH - indent).map((line) => `${' '.repeat(indent)}${line}`);
}
