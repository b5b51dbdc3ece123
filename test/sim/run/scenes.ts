/** Small scenes, and a world of one rule in which they run. */
import type { ScheduledFault } from '../../../sim/contract/faults.ts';
import type { HostScene, Scene } from '../../../sim/contract/scene.ts';

export function hostScene(name: string, changed: Partial<HostScene> = {}): HostScene {
  return {
    name,
    instanceId: null,
    zone: 'a',
    guardLevel: 'watchdog',
    clockRate: 1,
    wallOffsetMs: 0,
    isOnAtFirst: true,
    ...changed,
  };
}

export const YAML = `apiVersion: holdfast/v1
cluster: lab
hosts:
  - name: h1
    certificateName: h1
  - name: h2
    certificateName: h2
  - name: h3
    certificateName: h3
groups:
  - name: db
    redundancy: { model: n-plus-m, active: 1, standby: 1 }
  - name: web
    redundancy: { model: n, active: 2 }
`;

export function sceneWith(changed: Partial<Scene>): Scene {
  return {
    seed: 7,
    profile: 'fast',
    cluster: 'lab',
    yaml: YAML,
    hosts: [hostScene('h1'), hostScene('h2'), hostScene('h3')],
    faultsForMs: 300_000,
    quietForMs: 60_000,
    noise: {},
    faults: [],
    acts: [],
    ...changed,
  };
}

export function fault(
  at: number,
  kind: ScheduledFault['kind'],
  subject: string,
  forMs = 0,
  amount?: number,
): ScheduledFault {
  return { at, kind, subject, forMs, ...(amount === undefined ? {} : { amount }) };
}
