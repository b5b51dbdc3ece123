/** The dependency graph of a slot's services: they start from the bottom up and stop from the top down. */
import type { GroupDefinition, ServiceDefinition } from '../config/model.ts';
import type { SlotState } from './state.ts';

export function serviceNamed(state: SlotState, name: string): ServiceDefinition | undefined {
  return state.order?.spec.services.find((service) => service.name === name);
}

/** Those that stand directly on `name`. */
export function directDependants(spec: GroupDefinition, name: string): readonly ServiceDefinition[] {
  return spec.services.filter((service) => service.dependsOn.includes(name));
}

/** `name` and everything that stands on it, however indirectly. */
export function withDependants(spec: GroupDefinition, name: string): ReadonlySet<string> {
  const found = new Set([name]);
  for (const reached of found) {
    for (const dependant of directDependants(spec, reached)) found.add(dependant.name); // A set visits what is added meanwhile.
  }
  return found;
}

/** Bottom up; undefined if a dependency dangles or goes round. */
export function startOrder(spec: GroupDefinition): readonly ServiceDefinition[] | undefined {
  const sorted: ServiceDefinition[] = [];
  const placed = new Set<string>();
  while (sorted.length < spec.services.length) {
    const ready = spec.services.filter(
      (service) => !placed.has(service.name) && service.dependsOn.every((name) => placed.has(name)),
    );
    if (ready.length === 0) return undefined;
    for (const service of ready) placed.add(service.name);
    sorted.push(...ready);
  }
  return sorted;
}

/** Down as far as it will go: proven stopped, or the stop has failed for good. Less running is always better, so such a one holds up nobody. */
export function isEnded(state: SlotState, name: string): boolean {
  const phase = state.services[name]?.phase;
  return phase === undefined || phase === 'disabled' || phase === 'failed';
}

export function isActive(state: SlotState, name: string): boolean {
  return state.services[name]?.phase === 'enabled-active';
}

/** Down, everything it stands on is active, and nothing (of an older epoch) stands on it still. */
export function isStartable(state: SlotState, service: ServiceDefinition): boolean {
  if (state.order === null || state.services[service.name]?.phase !== 'disabled') return false;
  return (
    service.dependsOn.every((dependency) => isActive(state, dependency)) &&
    directDependants(state.order.spec, service.name).every(({ name }) => isEnded(state, name))
  );
}

/** Names of the services that may still be running although everything was tried. */
export function leftRunning(state: SlotState): readonly string[] {
  return Object.keys(state.services).filter((name) => state.services[name]?.condition === 'stop-failed');
}

/**
 * True if without `name` the group's health is `failed`: it is critical itself, or something critical stands on it.
 * Only then does a service that is given up fail the slot; any other stays `failed` and lowers the health.
 */
export function isVital(spec: GroupDefinition, name: string): boolean {
  const lost = withDependants(spec, name);
  return spec.services.some((service) => lost.has(service.name) && service.impact === 'critical');
}
