/**
 * `cascade`: the hosts die one after another until none is left, then all come back. After each death, once the system
 * has done what it can, exactly what the hosts that are left can carry runs, and whatever is held says why.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { GroupDefinition } from '../../core/config/model.ts';
import { messageOf } from '../../core/failures/failures.ts';
import type { GroupView, StatusView } from '../../core/protocol/views.ts';
import type { Harness } from './harness.ts';
import { livesOf, measureSlot } from './measure.ts';
import type { Life, Span } from './measure.ts';
import { coveredSlots, ownedBy, pickTarget, settledStatus, storiesSince, summarise } from './run.ts';
import type { RunOutcome } from './run.ts';

export const CASCADE_SAYS = 'the power of one host after another fails until none is left, then all of it returns';

const POLL_MS = 200;
/** On top of the bound that the status shows. */
const SLACK_MS = 20_000;

/** One death, to the moment at which the rest has settled. */
interface Stage {
  readonly span: Span;
  /** Covered slots of the dead host that must run again. */
  readonly struck: readonly string[];
  readonly failures: readonly string[];
}

export async function performCascade(harness: Harness): Promise<RunOutcome> {
  harness.log.forget();
  const before = await settledStatus(harness);
  const target = pickTarget(harness, before);
  const faultAtMs = Date.now();
  const from = await harness.witness.mark('fault cascade');
  const stages: Stage[] = [];
  for (let left = before.hosts.map(({ name }) => name); left.length > 0;) {
    const { host } = pickTarget(harness, await harness.api.status());
    left = left.filter((name) => name !== host);
    stages.push(await loseHost(harness, host, left));
  }
  await Promise.all(before.hosts.map(({ name }) => harness.cause({ fault: 'power-on', host: name })));
  const settled = await harness.untilSettled();
  const to = await harness.witness.mark('end cascade');

  const log = harness.log.read();
  const slots = coveredSlots(before).map(({ name }) => measureSlot(log, name, { from, to }));
  const after = 'status' in settled ? coveredSlots(settled.status) : [];
  const figures = summarise({ slots, owned: coveredSlots(before), after, target });
  const downtimes = stages.flatMap(({ struck, span }) => struck.map((name) => measureSlot(log, name, span).downtimeMs));
  const missing = 'missing' in settled ? settled.missing : [];
  const failures = [
    ...stages.flatMap((stage) => stage.failures),
    ...missing.map((what) => `not settled after all hosts returned: ${what}`),
    ...(figures.overlapMs > 0 ? [`ran twice at once for ${figures.overlapMs.toFixed(1)} ms`] : []),
    ...(figures.lost > 0 ? [`${String(figures.lost)} acknowledged writes were lost`] : []),
  ];
  const downtimeMs = downtimes.some((each) => each === null) ? null : Math.max(0, ...downtimes.map(Number));
  const stories = await storiesSince(harness, faultAtMs);
  return { ...figures, downtimeMs, target, span: { from, to }, faultAtMs, slots, stories, failures };
}

async function loseHost(harness: Harness, host: string, left: readonly string[]): Promise<Stage> {
  const status = await harness.api.status();
  const from = await harness.witness.mark(
    `${host} dies, ${left.length === 0 ? 'none is' : `${left.join(' and ')}`} left`,
  );
  await harness.cause({ fault: 'power-off', host });
  let failures: readonly string[] = [];
  for (let leftMs = status.bound.recoveryMs + SLACK_MS; leftMs > 0; leftMs -= POLL_MS) {
    await delay(POLL_MS);
    failures = await unlike(harness, left);
    if (failures.length === 0) break;
  }
  const to = await harness.witness.mark(`settled without ${host}`);
  const running = new Set(livesAt(harness).map(({ slot }) => slot));
  const struck = ownedBy(status, host).map(({ name }) => name);
  return {
    span: { from, to },
    struck: struck.filter((name) => running.has(name)),
    failures: failures.map((what) => `with ${left.join(', ') || 'no host'} left: ${what}`),
  };
}

/** What is not yet as it must be with these hosts left. */
async function unlike(harness: Harness, left: readonly string[]): Promise<string[]> {
  let status: StatusView;
  try {
    status = await harness.api.status();
  } catch (error) {
    return [messageOf(error)];
  }
  const lives = livesAt(harness);
  const strays = lives.filter((life) => !left.includes(life.host));
  return [
    ...status.runs.map(({ run }) => `run ${run} is open`),
    ...status.hosts.flatMap(({ name, status: word }) =>
      left.includes(name) === (word === 'Up') ? [] : [`host ${name} is ${word}`],
    ),
    ...strays.map(({ slot, service, host }) => `${slot} ${service} runs on ${host}, which is off`),
    ...harness.definition.groups.flatMap((group) => unlikeGroup(status, group, left, lives)),
  ];
}

/** Every group of the sample may use every host, one slot each. */
function unlikeGroup(
  status: StatusView,
  group: GroupDefinition,
  left: readonly string[],
  lives: readonly Life[],
): string[] {
  const view = status.groups.find(({ name }) => name === group.name);
  if (view === undefined) return [`group ${group.name} is not shown`];
  const wanted = Math.min(view.slots.length, left.length);
  const active = view.slots.filter(({ phase }) => phase === 'Active');
  const owners = new Set(active.map(({ owner }) => owner));
  return [
    ...(active.length === wanted
      ? []
      : [`${group.name} has ${String(active.length)} of ${String(wanted)} slots active`]),
    ...(owners.size === active.length ? [] : [`${group.name} has two slots on one host`]),
    ...active.flatMap(({ slot, owner }) =>
      group.services
        .filter(({ name }) => !lives.some((life) => isOf(life, { status, view, slot, owner, service: name })))
        .map(({ name }) => `${group.name}/${String(slot)} ${name} does not run on ${owner ?? 'any host'}`),
    ),
    ...view.slots
      .filter(({ phase, why }) => phase !== 'Active' && (phase !== 'Held' || why === ''))
      .map(({ slot, phase }) => `${group.name}/${String(slot)} is ${phase} and not held for a reason`),
  ];
}

function isOf(
  life: Life,
  place: { status: StatusView; view: GroupView; slot: number; owner: string | null; service: string },
): boolean {
  const slot = `${place.status.cluster}/${place.view.name}/${String(place.slot)}`;
  return life.slot === slot && life.service === place.service && life.host === place.owner;
}

function livesAt(harness: Harness): Life[] {
  return livesOf(harness.log.read()).filter(({ closedAt }) => closedAt === Number.POSITIVE_INFINITY);
}
