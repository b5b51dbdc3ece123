/** What the kernel says about this machine. */
import { readFile } from 'node:fs/promises';
import { HaError, messageOf } from '../../core/failures/failures.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** The firmware's own number first: an image that was cloned carries its machine-id along. */
const MACHINE_IDS = ['/sys/class/dmi/id/product_uuid', '/etc/machine-id'] as const;

export async function readBootId(): Promise<string> {
  const text = await firstLineOf(BOOT_ID);
  if (typeof text === 'string') return text;
  throw new HaError('not_found', `${BOOT_ID} cannot be read: ${text.why}; Holdfast needs a Linux kernel with /proc`);
}

export async function readMachineId(): Promise<string> {
  const whys: string[] = [];
  for (const file of MACHINE_IDS) {
    const text = await firstLineOf(file);
    if (typeof text === 'string') return text;
    whys.push(`${file}: ${text.why}`);
  }
  throw new HaError(
    'not_found',
    `nothing tells this machine from its clones (${whys.join('; ')}); run systemd-machine-id-setup`,
  );
}

/** By the wall clock of now: two calls in one boot may differ by what the clock was set meanwhile. */
export async function readBootedAt(): Promise<string> {
  const text = await readFile('/proc/stat', 'utf8');
  const seconds = /^btime (\d+)$/m.exec(text)?.[1];
  if (seconds === undefined) throw new HaError('not_found', '/proc/stat names no btime');
  return new Date(Number(seconds) * 1000).toISOString();
}

async function firstLineOf(file: string): Promise<string | { readonly why: string }> {
  try {
    const text = (await readFile(file, 'utf8')).split('\n')[0]?.trim() ?? '';
    return text === '' ? { why: 'empty' } : text;
  } catch (error) {
    return { why: messageOf(error) };
  }
}
