/**
 * The verdict of an investigation: pure, total, and one table.
 *
 * First the answers are boiled down to four facts, then the first row that matches decides. A contradiction makes
 * the death unknown (S8): then the count simply runs on, and revocation asks the store itself.
 */
import { invariant } from '../failures/invariant.ts';
import { EVIDENCE_WORDS } from '../protocol/views.ts';
import type { WallInstant } from '../time/time.ts';
import type { Answer, CertainKind, Investigator, Worth } from './answers.ts';
import { CERTAIN_KINDS, worthOf } from './answers.ts';

export interface Findings {
  readonly answers: readonly Answer[];
  /** When this investigation began, on the clock of the answers. */
  readonly openedAtMs: WallInstant;
  /** A hold is in force for a slot of this session (S10). */
  readonly holdInForce: boolean;
  /** The storm brake is on (S14). */
  readonly storm: boolean;
  /** The heartbeat item, read strongly, still shows the session in question. */
  readonly sameSession: boolean;
  /** It shows that session with a higher sequence than the observer's. */
  readonly renewed: boolean;
}

export type Verdict =
  | { readonly verdict: 'certain'; readonly evidenceKind: CertainKind; readonly says: string }
  | { readonly verdict: 'alive' | 'disconnected' | 'storm'; readonly says: string }
  /** The count runs on to L_c + ε. No power fence while the guard itself answered that the session stands. */
  | { readonly verdict: 'wait'; readonly powerFenceAllowed: boolean; readonly says: string };

interface Judged {
  readonly investigator: Investigator;
  readonly worth: Worth;
}

interface Facts {
  readonly certain: boolean;
  readonly renewed: boolean;
  readonly hold: boolean;
  readonly storm: boolean;
}

type Row = { readonly [F in keyof Facts]: Facts[F] | 'any' } & {
  readonly verdict: Verdict['verdict'];
  readonly because: string;
};

/** Exactly one row matches any facts (tested for all of them): S10 for holds, S14 for storms, S8 for the wait of L_c + ε. */
export const VERDICTS: readonly Row[] = [
  {
    certain: true,
    renewed: 'any',
    hold: 'any',
    storm: 'any',
    verdict: 'certain',
    because: 'its session is certainly over, and nothing has to be waited for',
  },
  {
    certain: false,
    renewed: true,
    hold: 'any',
    storm: 'any',
    verdict: 'alive',
    because: 'it has renewed its lease since: there is nothing to do',
  },
  {
    certain: false,
    renewed: false,
    hold: true,
    storm: 'any',
    verdict: 'disconnected',
    because: 'it is cut off from AWS, and runs on because its possible successors let it',
  },
  {
    certain: false,
    renewed: false,
    hold: false,
    storm: true,
    verdict: 'storm',
    because: 'too many hosts fell silent at once: none of them is fenced on suspicion',
  },
  {
    certain: false,
    renewed: false,
    hold: false,
    storm: false,
    verdict: 'wait',
    because: 'nothing shows whether it is alive or dead: it counts as neither until its lease has run out for certain',
  },
];

/**
 * What makes a death unbelievable. A machine that lives on does not contradict the end of a session: after
 * `closed` and `successor` it is expected to. Power-off is contradicted by any sign of life at all.
 */
function isContradicted(kind: CertainKind, judged: readonly Judged[], { sameSession, renewed }: Findings): boolean {
  const isAlive = (of: 'session' | 'machine') =>
    judged.some(({ worth }) => worth.worth === 'alive' && (of === 'machine' || worth.about === 'session'));
  switch (kind) {
    case 'power-off':
      return isAlive('machine') || (renewed && sameSession);
    case 'successor':
      // A successor replaces the session in the item; one read says it did, another that it did not.
      return isAlive('session') || sameSession;
    case 'closed':
      // The last renewal may well have come just before the end.
      return judged.some(({ investigator, worth }) => worth.worth === 'alive' && saysItStands(investigator));
  }
}

/** The guard's own word, directly or through SSM. */
function saysItStands(investigator: Investigator): boolean {
  return investigator === 'guard' || investigator === 'ssm';
}

function certainKind(judged: readonly Judged[], findings: Findings): CertainKind | undefined {
  return CERTAIN_KINDS.find(
    (kind) =>
      judged.some(({ worth }) => worth.worth === 'dead' && worth.kind === kind) &&
      !isContradicted(kind, judged, findings),
  );
}

function matches(row: Row, facts: Facts): boolean {
  const is = (key: keyof Facts) => row[key] === 'any' || row[key] === facts[key];
  return is('certain') && is('renewed') && is('hold') && is('storm');
}

/** For the exhaustive test, and for those who draw the table. */
export function rowsFor(facts: Facts): readonly Row[] {
  return VERDICTS.filter((row) => matches(row, facts));
}

export function verdictOf(findings: Findings): Verdict {
  const judged = findings.answers.map((answer) => ({
    investigator: answer.investigator,
    worth: worthOf(answer, findings.openedAtMs),
  }));
  const evidenceKind = certainKind(judged, findings);
  // A renewal counts for the session in question only; its heartbeat's own word is the same fact.
  const moved = judged.some(({ investigator, worth }) => investigator === 'heartbeat' && worth.worth === 'alive');
  const [row] = rowsFor({
    certain: evidenceKind !== undefined,
    renewed: findings.sameSession && (findings.renewed || moved),
    hold: findings.holdInForce,
    storm: findings.storm,
  });
  invariant(row !== undefined, 'the verdict table is total');
  if (evidenceKind !== undefined)
    return {
      verdict: 'certain',
      evidenceKind,
      says: `${EVIDENCE_WORDS[evidenceKind]} (${evidenceKind}): ${row.because}`,
    };
  if (row.verdict === 'wait') {
    const stands = judged.some(({ investigator, worth }) => worth.worth === 'alive' && saysItStands(investigator));
    return { verdict: 'wait', powerFenceAllowed: !stands, says: row.because };
  }
  invariant(row.verdict !== 'certain', 'a certain verdict names its evidence');
  return { verdict: row.verdict, says: row.because };
}
