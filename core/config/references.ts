/** Names that must be unique, names that must point at something, and dependencies that must end. */
import type { Finding, Path } from './problem.ts';
import { shown } from './problem.ts';
import type { WrittenDefinition, WrittenGroup } from './schema.ts';
import { agentText } from './schema-parts.ts';

export function referenceFindings(written: WrittenDefinition): Finding[] {
  const { hosts, groups } = written;
  return [
    ...duplicates(
      hosts.map(({ name }, i) => ({ value: name, at: ['hosts', i, 'name'] })),
      'host name',
    ),
    ...identities(written),
    ...duplicates(
      groups.map(({ name }, i) => ({ value: name, at: ['groups', i, 'name'] })),
      'group name',
    ),
    ...groups.flatMap((group, i) => serviceFindings(group, ['groups', i, 'services'])),
    ...danglingPlacement(written),
    ...sharedResources(written),
  ];
}

interface Named {
  readonly value: string | undefined;
  readonly at: Path;
}

function duplicates(all: readonly Named[], what: string): Finding[] {
  const seen = new Set<string>();
  return all.flatMap(({ value, at }) => {
    if (value === undefined) return [];
    const isRepeated = seen.has(value);
    seen.add(value);
    return isRepeated ? [{ at, got: `${shown(value)} a second time`, change: `give each its own ${what}` }] : [];
  });
}

function identities({ hosts }: WrittenDefinition): Finding[] {
  const unclear = hosts.flatMap((host, i): Finding[] => {
    const change = 'name either its instanceId (on EC2) or its certificateName';
    if (host.instanceId === undefined && host.certificateName === undefined) {
      return [{ at: ['hosts', i], got: `host ${shown(host.name)} without an identity`, change }];
    }
    if (host.instanceId !== undefined && host.certificateName !== undefined) {
      return [{ at: ['hosts', i, 'certificateName'], got: 'a second identity beside instanceId', change }];
    }
    const usesEc2 = host.fencing.some((level) => level.includes('ec2'));
    if (!usesEc2 || host.instanceId !== undefined) return [];
    const got = `fence ec2 for host ${shown(host.name)} without instanceId`;
    return [{ at: ['hosts', i, 'fencing'], got, change: 'give the host its instanceId, or fence it by lease' }];
  });
  const ids = (['instanceId', 'certificateName'] as const).flatMap((key) =>
    duplicates(
      hosts.map((host, i) => ({ value: host[key], at: ['hosts', i, key] })),
      key,
    ),
  );
  return [...unclear, ...ids];
}

function serviceFindings(group: WrittenGroup, at: Path): Finding[] {
  const { services } = group;
  const names = new Set(services.map(({ name }) => name));
  const dangling = services.flatMap(({ dependsOn }, i) =>
    dependsOn.flatMap((needed, j): Finding[] => {
      if (names.has(needed)) return [];
      const change = `name a service of group ${group.name}: ${listed([...names])}`;
      return [{ at: [...at, i, 'dependsOn', j], got: `unknown service ${shown(needed)}`, change }];
    }),
  );
  return [
    ...duplicates(
      services.map(({ name }, i) => ({ value: name, at: [...at, i, 'name'] })),
      'service name in its group',
    ),
    ...dangling,
    ...cycles(group, at),
  ];
}

/** One finding per cycle: services are followed in order, each is entered once. */
function cycles({ services }: WrittenGroup, at: Path): Finding[] {
  const index = new Map(services.map(({ name }, i) => [name, i]));
  const done = new Set<string>();
  const found: Finding[] = [];
  const follow = (name: string, trail: readonly string[]): void => {
    const start = trail.indexOf(name);
    if (start >= 0) {
      const loop = [...trail.slice(start), name].join(' → ');
      const i = index.get(trail.at(-1) ?? name) ?? 0;
      found.push({ at: [...at, i, 'dependsOn'], got: `the cycle ${loop}`, change: 'remove one of these dependencies' });
      return;
    }
    if (done.has(name)) return;
    const service = services[index.get(name) ?? -1];
    for (const needed of service?.dependsOn ?? []) follow(needed, [...trail, name]);
    done.add(name);
  };
  for (const { name } of services) follow(name, []);
  return found;
}

function danglingPlacement({ hosts, groups }: WrittenDefinition): Finding[] {
  const hostNames = new Set(hosts.map(({ name }) => name));
  const groupNames = new Set(groups.map(({ name }) => name));
  return groups.flatMap(({ name, placement }, i) => {
    const at = ['groups', i, 'placement'];
    const known = `name one of the hosts: ${listed([...hostNames])}`;
    const prefer = placement.prefer.flatMap((wish, j): Finding[] => {
      const where = [...at, 'prefer', j];
      if (wish.host !== undefined && !hostNames.has(wish.host)) {
        return [{ at: [...where, 'host'], got: `unknown host ${shown(wish.host)}`, change: known }];
      }
      return (['apart', 'together'] as const).flatMap((key): Finding[] => {
        const other = wish[key];
        if (other === undefined || (groupNames.has(other) && other !== name)) return [];
        const change = `name one of the other groups: ${listed([...groupNames].filter((group) => group !== name))}`;
        return [{ at: [...where, key], got: `unknown group ${shown(other)}`, change }];
      });
    });
    const twice = placement.prefer.map(({ host }, j) => ({ value: host, at: [...at, 'prefer', j, 'host'] }));
    const groupsNamed = (['together', 'apart'] as const).flatMap((key) =>
      placement[key].flatMap((other, j): Finding[] => {
        if (groupNames.has(other)) return [];
        const change = `name one of the groups: ${listed([...groupNames])}`;
        return [{ at: [...at, key, j], got: `unknown group ${shown(other)}`, change }];
      }),
    );
    return [...prefer, ...duplicates(twice, 'weight per host'), ...groupsNamed];
  });
}

/** S20: one unit, script, volume or address belongs to one service; two owners would stop each other's. */
function sharedResources({ groups }: WrittenDefinition): Finding[] {
  const owners = new Map<string, string>();
  return groups.flatMap((group, i) =>
    group.services.flatMap((service, j): Finding[] => {
      const { kind } = service.agent;
      if (kind === 'exec') return [];
      const isUnit = kind === 'systemd' || kind === 'lsb';
      const params = Object.entries(service.params).sort(([a], [b]) => (a < b ? -1 : 1));
      if (!isUnit && params.length === 0) return [];
      const agent = agentText(service.agent);
      const key = isUnit ? agent : `${agent} ${JSON.stringify(params)}`;
      const owner = owners.get(key);
      if (owner === undefined) {
        owners.set(key, `${group.name}/${service.name}`);
        return [];
      }
      const got = `${agent}${isUnit ? '' : ' with the same parameters'}, which ${owner} has already`;
      const change = 'let one service own it, or name another unit, volume or address';
      return [{ at: ['groups', i, 'services', j, isUnit ? 'agent' : 'params'], got, change, rule: 'S20' }];
    }),
  );
}

const LISTED_MAX = 8;

export function listed(names: readonly string[]): string {
  const more = names.length - LISTED_MAX;
  return more > 0 ? `${names.slice(0, LISTED_MAX).join(', ')} and ${more} more` : names.join(', ');
}
