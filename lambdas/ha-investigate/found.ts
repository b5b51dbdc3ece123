/** What the investigators have in common: what one found, and a bound on how long it is waited for (S8). */
import type { Answer } from '../../core/investigation/answers.ts';
import type { HostRecord } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';
import type { ControlPorts } from '../shared/ports.ts';
import type { Work } from '../shared/work.ts';

export type Found = Pick<Answer, 'answer' | 'evidence' | 'facts' | 'says'>;

export type Investigate = (
  ports: ControlPorts,
  asked: { readonly run: string; readonly host: HostRecord; readonly session: string; readonly work: Work },
) => Promise<Found>;

export const unknown = (says: string, facts: Found['facts'] = {}): Found => ({ answer: 'unknown', facts, says });

/** null: no answer in time; a late one is dropped. */
export async function within<T>(
  ports: Pick<ControlPorts, 'sleeper'>,
  limitMs: Millis,
  answer: Promise<T>,
): Promise<T | null> {
  return Promise.race([answer, ports.sleeper.sleep(limitMs).then(() => null)]);
}
