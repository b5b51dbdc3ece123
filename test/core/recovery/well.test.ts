import { describe, expect, test } from '@jest/globals';
import type { HostRecord, SlotRecord, SlotReport } from '../../../core/protocol/records.ts';
import { isWellAgain } from '../../../core/recovery/well.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { evidenceAbout, ownedBy, record, slot } from '../placement/fixtures.ts';
import { item } from './fixtures.ts';

const AT = wallInstant(0);

interface Sketch {
  readonly host?: Partial<HostRecord>;
  readonly slot?: Partial<SlotRecord>;
  readonly session?: string | null;
  readonly says?: Partial<SlotReport>;
}

function isWell(subject: string, sketch: Sketch = {}): boolean {
  const host: HostRecord = {
    host: 'h1',
    principal: 'p-h1',
    status: 'Up',
    statusSinceMs: AT,
    why: '',
    admin: 'enabled',
    adminReason: '',
    claim: null,
    seen: null,
    tombstoneAtMs: null,
    ...sketch.host,
  };
  const report: SlotReport = { group: 'db', slot: 0, epoch: 1, phase: 'Active', health: 'ok', ...sketch.says };
  return isWellAgain({
    hosts: [host],
    groups: [record('db', [slot(0, { ...ownedBy('h1'), ...sketch.slot })])],
    heartbeatOf: () => item('h1', 's-h1', { slots: [report] }),
    liveSessionOf: () => (sketch.session === undefined ? 's-h1' : sketch.session),
  })(subject);
}

describe('what was told is forgotten when its subject is well again (I11)', () => {
  test.each<[string, string, Sketch, boolean]>([
    ['a host that is Up', 'h1', {}, true],
    ['one that needs a person', 'h1', { host: { status: 'Alert' } }, false],
    ['one that a run works on', 'h1', { host: { claim: { run: 'r', session: 's-h1', atMs: AT } } }, false],
    ['Up, but an older session of it still owns a slot', 'h1', { session: 's-new' }, false],
    [
      'Up in a newer session, with evidence about the older',
      'h1',
      { session: 's-new', slot: { evidence: evidenceAbout('h1') } },
      true,
    ],
    [
      'fenced, and nothing of it is left without evidence',
      'h1',
      { host: { status: 'Fenced' }, session: null, slot: { evidence: evidenceAbout('h1') } },
      true,
    ],
    ['a host that is gone', 'h9', {}, true],
    ['a slot that is active and says so', 'db/0', {}, true],
    ['active on record, failed by its own word', 'db/0', { says: { phase: 'Failed' } }, false],
    ['active on record, its word is about another epoch', 'db/0', { says: { epoch: 7 } }, false],
    ['held', 'db/0', { slot: { phase: 'Held' } }, false],
    ['without an owner', 'db/0', { slot: { evidence: evidenceAbout('h1') } }, false],
    ['a run works on it', 'db/0', { slot: { claim: 'r' } }, false],
    ['a slot that is gone', 'db/7', {}, true],
    ['a group that is gone', 'web/0', {}, true],
  ])('%s', (_, subject, sketch, expected) => {
    expect(isWell(subject, sketch)).toBe(expected);
  });
});
