import { describe, expect, test } from '@jest/globals';
import { readDefinition } from '../../../adapters/node/definition-file.ts';
import { editGroup, firstModel, nextHost, seeded, yamlOf } from '../../../bench/simulate/model.ts';
import { differences, foretold } from '../../../bench/simulate/settle.ts';
import type { SimulateView } from '../../../core/protocol/views.ts';

function view(slots: SimulateView['slots']): SimulateView {
  return { says: [], slots, unchanged: 0, health: [], bound: { recoveryMs: 0, outageMs: 0 } };
}

describe('what was foretold', () => {
  test('is what is now, but for what the answer names', () => {
    const now = { 'a/0': 'h1', 'b/0': 'h2' };
    const told = foretold(now, view([{ group: 'b', slot: 0, from: 'h2', to: null, why: '' }]));
    expect(told).toEqual({ 'a/0': 'h1', 'b/0': null });
  });

  test('differs where another host runs it, or one does and none should; a slot that is gone has nobody', () => {
    expect(differences({ 'a/0': 'h1', 'b/0': null }, { 'a/0': 'h1' })).toEqual([]);
    expect(differences({ 'a/0': 'h1', 'b/0': null }, { 'a/0': 'h2', 'b/0': 'h1' })).toEqual([
      'a/0: foretold h1, found h2',
      'b/0: foretold nobody, found h1',
    ]);
  });
});

test('whatever the benchmark makes of a cluster can be applied', () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const random = seeded(seed);
    let model = firstModel(random, { hosts: 8, groups: 6 });
    for (let n = 0; n < 10; n += 1) {
      model =
        n % 3 === 0 ? { ...model, hosts: [...model.hosts, nextHost(random, model)] } : editGroup(random, model).model;
      const read = readDefinition([{ content: yamlOf(model) }]);
      expect(read.ok ? [] : read.problems).toEqual([]);
    }
  }
});
