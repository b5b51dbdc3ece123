import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const NOT_OURS = new Set(['node_modules', '.git', 'cdk.out', 'coverage', 'dist', '.holdfast']);

/** Every file of ours below `folder` whose name ends so, as absolute paths in a stable order. */
export function filesOf(folder: string, ending: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .filter(({ name }) => !NOT_OURS.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesOf(path, ending);
      return entry.name.endsWith(ending) ? [path] : [];
    })
    .sort();
}
