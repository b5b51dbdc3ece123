/** Puts the parts of a world together: store, machines, EC2, control plane, faults and those who watch. */
import { createCheckers } from '../checks/checkers.ts';
import { Seen } from '../checks/seen.ts';
import type { Checker, Told, Truth } from '../contract/truth.ts';
import { createControl } from '../control/control.ts';
import { scheduleFaults, type ScheduledFaults } from '../faults/apply.ts';
import { createHosts } from '../hosts/hosts.ts';
import { createEc2 } from '../world/ec2.ts';
import { createStore } from '../world/store.ts';
import { whyNotPlaced } from './placed.ts';
import type { MakeWorld } from './world.ts';

export const assemble: MakeWorld = (stage, scene) => {
  const store = createStore(stage);
  const hosts = createHosts(stage, scene, { store });
  const ec2 = createEc2(stage, scene, hosts.power);
  const control = createControl(stage, scene, { store, ec2 });
  ec2.onEvent((event) => control.ec2Event(event));
  const truth: Truth = {
    now: () => stage.timeline.now(),
    machines: () => hosts.truth(),
    records: (pk, prefix) => store.records(pk, prefix),
    record: (pk, sk) => store.record(pk, sk),
    heartbeats: () => store.heartbeats(),
  };

  const placing = new Seen(scene, truth);
  let isPlaced = false;
  let faults: ScheduledFaults | null = null;
  const watch = (fact: Told): void => {
    if (!isPlaced) placing.see(fact);
    faults?.onFact(fact);
  };
  return {
    // Checkers first: what follows a fact must not come before it in their eyes.
    checkers: [...createCheckers(scene, truth), onlooker(watch)],
    begin: () => control.start(),
    reconcile: () => control.reconcile(),
    act: (act) => control.act(act),
    whyNotPlaced: () => {
      const why = whyNotPlaced(placing);
      isPlaced = why === null;
      return why;
    },
    beginFaults: () => {
      faults = scheduleFaults(stage, scene, { store, hosts, ec2, control });
    },
    lookAfter: (short) => faults?.lookAfter(short),
    healAll: () => faults?.healAll(),
  };
};

/** Sees every fact and objects to none. */
function onlooker(see: (fact: Told) => void): Checker {
  return { invariant: '', see, end: () => undefined, violations: [] };
}
