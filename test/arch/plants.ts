import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * A tree of planted violations, judged by the very configurations and commands of the project: what is
 * copied are the rules, what is planted are the sins.
 */
export const REPOSITORY = join(import.meta.dirname, '..', '..');

const RULES = ['package.json', 'tsconfig.json', 'core/tsconfig.json', 'eslint.config.js', '.dependency-cruiser.cjs'];

export interface PlantedTree {
  readonly folder: string;
  remove(): void;
}

export function plant(files: Readonly<Record<string, string>>): PlantedTree {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-arch-'));
  for (const rule of RULES) cpSync(join(REPOSITORY, rule), join(folder, rule));
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface ToolRun {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool of node_modules as `npm run check` does: in a process of its own, whose exit status is the verdict. */
export function runTool(script: string, args: readonly string[], folder: string): Promise<ToolRun> {
  const options = { cwd: folder, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(REPOSITORY, 'node_modules', script), ...args],
      options,
      (_, stdout, stderr) => resolve({ exit: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
