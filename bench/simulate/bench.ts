/**
 * Does the what-if tell the truth? Random changes on a running system: ask first, cause it, wait until all is at rest, compare
 * the owners. Most on thin hosts, which are quick; some on hosts that are processes.
 */
import { fileURLToPath } from 'node:url';
import { apiClient, type ApiClient } from '../../adapters/node/api-client.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { HypotheticalChange, StatusView } from '../../core/protocol/views.ts';
import type { Runtime } from '../../local/runtime.ts';
import type { BenchResult, Figure } from '../figure.ts';
import { withRuntime } from '../thin.ts';
import { editGroup, firstModel, type Model, nextHost, oneOf, type Random, seeded, yamlOf } from './model.ts';
import { differences, foretold, ownersOf, untilAtRest } from './settle.ts';

const SAMPLE = fileURLToPath(new URL('../../local/samples/cluster.yaml', import.meta.url));
const SIZE = { hosts: 8, groups: 12 } as const;
const HOSTS_MAX = 16;
/** Of so many cases one is on hosts that are processes. */
const REAL_SHARE = 10;

interface Case {
  readonly says: string;
  readonly change: HypotheticalChange;
  readonly cause: () => Promise<void>;
  readonly isThere: (status: StatusView) => boolean;
  /** Brings back what must be there for the next case. */
  readonly undo: () => Promise<void>;
}

interface Tally {
  cases: number;
  agreements: number;
  readonly disagreements: string[];
}

export async function benchSimulate(
  say: (text: string) => void,
  options: { readonly cases: number; readonly seed: number },
): Promise<BenchResult> {
  const random = seeded(options.seed);
  const tally: Tally = { cases: 0, agreements: 0, disagreements: [] };
  const real = Math.ceil(options.cases / REAL_SHARE);
  say(`  seed ${String(options.seed)}`);
  await thinCases(say, tally, { random, count: options.cases - real });
  await realCases(say, tally, { random, count: real });
  const params = { seed: options.seed };
  const count = (name: string, value: number): Figure => ({ name, value, unit: '', params });
  return {
    figures: [
      count('cases', tally.cases),
      count('agreements', tally.agreements),
      count('disagreements', tally.disagreements.length),
    ],
    failures: tally.disagreements,
  };
}

interface Some {
  readonly random: Random;
  readonly count: number;
}

async function thinCases(say: (text: string) => void, tally: Tally, { random, count }: Some): Promise<void> {
  if (count === 0) return;
  let model = firstModel(random, SIZE);
  await withRuntime({ isThin: true, definitionText: yamlOf(model) }, async (runtime) => {
    const api = clientOf(runtime);
    for (let n = 0; n < count; n += 1) {
      const before = await untilAtRest(api, areAllUp);
      const drawn = random();
      const { next, one } =
        drawn < 0.5
          ? { next: model, one: hostDown(runtime, before, random) }
          : drawn < 0.65 && model.hosts.length < HOSTS_MAX
            ? hostAdded(runtime, api, model, random)
            : groupEdited(api, model, before, random);
      await perform(say, tally, { api, before, one });
      model = next;
    }
  });
}

async function realCases(say: (text: string) => void, tally: Tally, { random, count }: Some): Promise<void> {
  if (count === 0) return;
  await withRuntime({ isThin: false, definitionFile: SAMPLE }, async (runtime) => {
    const api = clientOf(runtime);
    for (let n = 0; n < count; n += 1) {
      const before = await untilAtRest(api, areAllUp);
      await perform(say, tally, { api, before, one: hostDown(runtime, before, random) });
    }
  });
}

function clientOf({ apiUrl, token }: Runtime): ApiClient {
  return apiClient({ url: apiUrl, token });
}

function areAllUp(status: StatusView): boolean {
  const slots = status.groups.flatMap((group) => group.slots);
  return (
    status.hosts.every((host) => host.status === 'Up' || host.status === 'Removed') &&
    slots.every(({ phase }) => phase === 'Active')
  );
}

async function perform(
  say: (text: string) => void,
  tally: Tally,
  { api, before, one }: { readonly api: ApiClient; readonly before: StatusView; readonly one: Case },
): Promise<void> {
  const told = foretold(ownersOf(before), await api.simulate({ changes: [one.change] }));
  await one.cause();
  const found = ownersOf(await untilAtRest(api, one.isThere));
  const different = differences(told, found);
  tally.cases += 1;
  if (different.length === 0) tally.agreements += 1;
  else tally.disagreements.push(`${one.says}: ${different.join('; ')}`);
  say(
    `  ${String(tally.cases).padStart(4)} ${one.says}: ${different.length === 0 ? 'as foretold' : different.join('; ')}`,
  );
  await one.undo();
}

function hostDown({ fleet }: Runtime, before: StatusView, random: Random): Case {
  const host = oneOf(
    random,
    before.hosts.filter(({ status }) => status === 'Up'),
  )?.name;
  if (host === undefined) throw new HaError('no_host', 'no host is Up');
  const isCut = random() < 0.5;
  return {
    says: isCut ? `${host} is cut off` : `${host} loses its power`,
    change: { change: 'host-down', host },
    cause: async () => (isCut ? fleet.cut(host) : fleet.powerOff(host)),
    isThere: ({ hosts }) =>
      hosts.some(({ name, status }) => name === host && (status === 'Down' || status === 'Fenced')),
    undo: async () => {
      if (isCut) fleet.heal(host);
      // A fence may have powered it off as well.
      const isOff = fleet.instances().some((instance) => instance.host === host && instance.state !== 'running');
      if (isOff) await fleet.powerOn(host);
    },
  };
}

function hostAdded(runtime: Runtime, api: ApiClient, model: Model, random: Random): { next: Model; one: Case } {
  const host = nextHost(random, model);
  const next = { ...model, hosts: [...model.hosts, host] };
  const { name, zone, instanceId, pool } = host;
  const one: Case = {
    says: `${name} of pool ${pool} is added`,
    change: { change: 'host-added', host: { name, zone, labels: { pool } } },
    cause: async () => {
      await apply(api, next);
      await runtime.addMachine({ name, machine: instanceId });
    },
    isThere: ({ hosts }) => hosts.some((each) => each.name === name && each.status === 'Up'),
    undo: () => Promise.resolve(),
  };
  return { next, one };
}

function groupEdited(api: ApiClient, model: Model, before: StatusView, random: Random): { next: Model; one: Case } {
  const { model: next, says } = editGroup(random, model);
  const one: Case = {
    says,
    change: { change: 'definition', yaml: yamlOf(next) },
    cause: () => apply(api, next),
    isThere: ({ rev }) => rev >= before.rev,
    undo: () => Promise.resolve(),
  };
  return { next, one };
}

async function apply(api: ApiClient, model: Model): Promise<void> {
  const answer = await api.apply(yamlOf(model));
  if (answer.outcome === 'refused') throw new HaError('config_invalid', answer.detail);
}
