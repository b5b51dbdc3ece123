/**
 * Which methods of its ports each Lambda can reach, read from its own code: the handler is bundled with all that it imports, and
 * what no path leads to is left out. A method that only a dead branch calls counts as reached; none that is called is missed, as
 * long as it is called by its port's name (`ports.power.stop(…)`, `power.stop(…)`).
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Ports that end in calls to AWS. */
const PORTS = ['alerts', 'guardAsk', 'heartbeats', 'power', 'registry', 'workflow'].concat(
  // The fence's own: lambdas/ha-fence/fence-cloud.ts.
  ['path', 'rehearsal', 'scaling', 'settings'],
);

/** `power.stop`, …, of the Lambda in `lambdas/NAME`. */
export async function reachedMethods(name: string): Promise<string[]> {
  const { outputFiles } = await build({
    entryPoints: [`${repository}lambdas/${name}/handler.ts`],
    bundle: true,
    treeShaking: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    logLevel: 'error',
  });
  const text = outputFiles.map((file) => file.text).join('\n');
  const called = text.matchAll(new RegExp(`\\b(${PORTS.join('|')})\\.([a-zA-Z]+)(?:<[^>]*>)?\\(`, 'g'));
  return [...new Set([...called].map(([, port, method]) => `${port}.${method}`))].sort();
}
