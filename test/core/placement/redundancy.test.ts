import { describe, expect, test } from '@jest/globals';
import { candidateHosts, candidateList } from '../../../core/placement/candidates.ts';
import { redundancyReport } from '../../../core/placement/redundancy.ts';
import type { SlotReport } from '../../../core/protocol/records.ts';
import { definition, evidenceAbout, group, host, ownedBy, record, slot } from './fixtures.ts';

const active = (no: number, at: string) => slot(no, ownedBy(at));
const gone = (no: number, at: string) => slot(no, { ...ownedBy(at), evidence: evidenceAbout(at) });
const report = (no: number, health: SlotReport['health'], epoch = 1): SlotReport => {
  return { group: 'g', slot: no, epoch, phase: 'Active', health };
};

describe('n-plus-m', () => {
  const pair = group('g');
  const two = group('g', { redundancy: { model: 'n-plus-m', active: 2, standby: 1 } });
  test.each([
    ['all there', pair, record('g', [active(0, 'h1')], ['h2']), 'ok'],
    ['no standby', pair, record('g', [active(0, 'h1')]), 'warn'],
    ['no active', pair, record('g', [gone(0, 'h1')], ['h2']), 'failed'],
    ['still starting', pair, record('g', [slot(0, { ...ownedBy('h1'), phase: 'Starting' })], ['h2']), 'failed'],
    ['no record', pair, undefined, 'failed'],
    ['one of two actives', two, record('g', [active(0, 'h1'), gone(1, 'h2')], ['h3']), 'degraded'],
    ['one of two actives, and no standby', two, record('g', [gone(0, 'h1'), active(1, 'h2')]), 'degraded'],
  ])('%s', (_, definitionOf, stored, health) => {
    expect(redundancyReport(definitionOf, stored).health).toBe(health);
  });

  test('says what is missing', () => {
    const found = redundancyReport(two, record('g', [active(0, 'h1'), gone(1, 'h2')]));
    expect(found).toEqual({
      health: 'degraded',
      active: [0],
      missing: [1],
      missingStandbys: 1,
      says: '1 of 2 active; not active: g/1; 0 of 1 standing by',
    });
  });
});

describe('n', () => {
  const web = group('g', { redundancy: { model: 'n', active: 2, exclusive: false } });
  test.each([
    ['both', record('g', [active(0, 'h1'), active(1, 'h2')]), 'ok'],
    ['one', record('g', [active(0, 'h1'), gone(1, 'h2')]), 'degraded'],
    ['none', record('g', [gone(0, 'h1'), gone(1, 'h2')]), 'failed'],
  ])('%s', (_, stored, health) => {
    expect(redundancyReport(web, stored).health).toBe(health);
  });

  test.each([
    ['minor impact', [report(0, 'warn')], 'warn'],
    ['major impact', [report(0, 'warn'), report(1, 'degraded')], 'degraded'],
    ['critical in one of two', [report(0, 'failed')], 'degraded'],
    ['critical in both', [report(0, 'failed'), report(1, 'failed')], 'failed'],
    ['an older epoch says nothing', [report(0, 'failed', 0)], 'ok'],
    ['another group says nothing', [{ ...report(0, 'failed'), group: 'other' }], 'ok'],
  ])('members: %s', (_, reports, health) => {
    expect(redundancyReport(web, record('g', [active(0, 'h1'), active(1, 'h2')]), reports).health).toBe(health);
  });
});

describe('candidates', () => {
  const db = group('db', { placement: { require: { disk: 'y' } } });
  const hosts = [
    host('h3', { labels: { disk: 'y' }, session: null }),
    host('h2', { labels: { disk: 'y' }, status: 'Behind', admin: 'locked' }),
    host('h1', { labels: { disk: 'y' } }),
    host('h0', { labels: { disk: 'n' } }),
  ];
  const defined = definition([db], hosts);

  test('possible owners are those with the labels, by name', () => {
    expect(candidateHosts(defined, db)).toEqual(['h1', 'h2', 'h3']);
  });

  test('S12: a host without a live session leaves the list; late and locked ones stay', () => {
    expect(candidateList(defined, db, hosts)).toEqual(['h1', 'h2']);
    expect(candidateList(defined, db, [])).toEqual([]);
  });
});
