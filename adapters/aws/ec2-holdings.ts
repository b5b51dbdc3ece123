/** What taking and giving up have in common: a refusal that may mean "somebody else has it" is settled by a read (S17). */
import type { GiveAnswer, Holder, Holding, TakeAnswer } from '../../core/cloud-ports.ts';
import { awsReasonOf, wordsOf } from './ec2-calls.ts';

/** Throws where the platform does not answer. */
export type Holdings<At> = (at: At) => Promise<Holding>;

export function unknownHolding(says: string): Holding {
  return { state: 'unknown', says };
}

export async function readHolding(asked: Promise<Holding>): Promise<Holding> {
  try {
    return await asked;
  } catch (error) {
    return unknownHolding(wordsOf(error));
  }
}

interface Order {
  readonly by: string;
  /** Codes, or words of the message, of refusals that a read may settle. */
  readonly codes: readonly (string | RegExp)[];
  /** Codes that are said of other troubles as well: only a read that shows somebody else there makes them that. */
  readonly perhaps?: readonly string[];
  readonly read: () => Promise<Holding>;
}

/** An order that is given twice finds its own work and says so. */
export async function take({ by, codes, perhaps = [], read }: Order, order: Promise<void>): Promise<TakeAnswer> {
  try {
    await order;
    return { outcome: 'accepted' };
  } catch (error) {
    if (!isMeant(error, [...codes, ...perhaps])) throw error;
    const now = await readHolding(read());
    if (heldBy(now, by).some(({ isLeaving }) => !isLeaving)) return { outcome: 'accepted' };
    if (now.state !== 'held' && isMeant(error, perhaps)) throw error;
    // What EC2 refused for is more recent than a read that shows it free.
    return { outcome: 'in-use', says: `${whoHolds(now)} (${wordsOf(error)})` };
  }
}

export async function give({ by, codes, read }: Order, order: Promise<void>): Promise<GiveAnswer> {
  try {
    await order;
    return { outcome: 'accepted' };
  } catch (error) {
    if (!isMeant(error, codes)) throw error;
    const now = await readHolding(read());
    const own = heldBy(now, by);
    if (own.some(({ isLeaving }) => isLeaving)) return { outcome: 'accepted' };
    if (now.state === 'unknown' || own.length > 0) throw error;
    return { outcome: 'not-held', says: `${whoHolds(now)} (${wordsOf(error)})` };
  }
}

export function heldBy(now: Holding, by: string): readonly Holder[] {
  return now.state === 'held' ? now.holders.filter((holder) => holder.by === by) : [];
}

export function whoHolds(now: Holding): string {
  switch (now.state) {
    case 'free':
      return 'nobody holds it';
    case 'held':
      return now.holders.map(({ by, isLeaving }) => `${by} ${isLeaving ? 'is giving it up' : 'holds it'}`).join(', ');
    case 'unknown':
      return `who holds it is not known: ${now.says}`;
  }
}

function isMeant(error: unknown, codes: readonly (string | RegExp)[]): boolean {
  const { code, text } = awsReasonOf(error);
  return codes.some((known) => (typeof known === 'string' ? known === code : known.test(text)));
}
