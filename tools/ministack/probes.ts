/** `npm run test:aws -- --probes`: what the emulator does otherwise than AWS, found by trying, against what is written down. */
import { messageOf } from '../../core/failures/failures.ts';
import { type Checks, Wrong } from './checks.ts';
import { startEmulator } from './emulator.ts';
import { ministackVersion } from './install.ts';
import { probeAccount } from './probe-account.ts';
import { PROBES } from './probe-list.ts';
import type { Endings } from './system.ts';

export interface ProbeOptions {
  readonly python: string;
  readonly folder: string;
  readonly endings: Endings;
  readonly say: (text: string) => void;
  readonly checks: Checks;
}

export async function runProbes({ python, folder, endings, say, checks }: ProbeOptions): Promise<void> {
  const emulator = await startEmulator({ python, folder, endpoints: {}, isPlain: true });
  endings.push(() => emulator.close());
  const account = probeAccount(emulator.url);
  endings.push(() => account.close());
  const rows: string[] = [];
  for (const { name, aws, found, so, probe } of PROBES) {
    await checks.check(name, async () => {
      const got = await probe(account).catch((error: unknown) => `fails: ${messageOf(error)}`);
      rows.push(`| ${[name, aws, got, so].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
      if (got !== found) throw new Wrong([`"${got}", where "${found}" is written down; AWS: "${aws}"`]);
      return { says: got === aws ? `as AWS: ${got}` : `${got}; AWS: ${aws}`, facts: { aws, got } };
    });
  }
  say(
    `MiniStack ${await ministackVersion()}, ${new Date().toISOString().slice(0, 10)}:\n\n${TABLE_HEAD}\n${rows.join('\n')}\n`,
  );
}

const TABLE_HEAD = '| probe | AWS | MiniStack | so |\n| --- | --- | --- | --- |';
