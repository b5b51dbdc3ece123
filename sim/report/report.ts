/** A run for a person: what it was, what broke, which faults were drawn, and who did what when. */
import type { Scene } from '../contract/scene.ts';
import type { Told } from '../contract/truth.ts';
import type { RunResult } from '../run/result.ts';
import { printFault, printHost } from '../run/scenario-words.ts';
import { linesOf, type Names, type ReportLine, seconds } from './lines.ts';

export interface ReportOptions {
  /** Only what concerns this host; null: everything. */
  readonly host: string | null;
  /** With the lines of logs. */
  readonly isVerbose: boolean;
}

/** The run must have kept its facts. */
export function report(scene: Scene, result: RunResult, options: ReportOptions): string {
  return [...head(scene, result), '', ...timeline(scene, result, options)].join('\n');
}

function head(scene: Scene, result: RunResult): string[] {
  const groups = [...scene.yaml.matchAll(/^ {2}- name: (\S+)/gm)].map((found) => found[1] ?? '');
  const noise = Object.entries(scene.noise).map(([kind, part]) => `${kind} ${((part ?? 0) * 100).toFixed(2)} %`);
  const from = result.faultsFromMs;
  const violations = result.violations.map(
    ({ invariant, at, says }) => `VIOLATION ${invariant} at ${seconds(at)}: ${says}`,
  );
  return [
    `seed ${scene.seed}, profile ${scene.profile}, cluster ${scene.cluster}, ${seconds(result.simulatedMs)} simulated, ${result.events} events`,
    `hosts`,
    ...scene.hosts.map((host) => `  ${printHost(host)}, ${result.beats[host.name] ?? 0} beats`),
    `names in the definition: ${groups.join(', ')}`,
    `noise: ${noise.join(', ') || 'none'}`,
    `faults ${from === null ? 'never began' : `from ${seconds(from)} on (times of the schedule count from there)`}`,
    ...scene.faults.map((fault) => `  ${printFault(fault)}`),
    ...(violations.length === 0 ? ['no violations'] : violations),
  ];
}

function timeline(scene: Scene, result: RunResult, options: ReportOptions): string[] {
  const names = namesIn(result.facts, scene);
  const lines = (options.isVerbose ? result.facts : told(result.facts))
    .flatMap((fact) => linesOf(fact, names))
    .filter((line) => isShown(line, options.host));
  const faults = result.faultsFromMs;
  const marks: ReportLine[] = [
    ...(faults === null ? [] : [mark(faults, 'everything is placed; faults begin')]),
    ...(result.faultsUntilMs === null ? [] : [mark(result.faultsUntilMs, 'faults end; everything is healed')]),
    ...result.violations.map(({ at, invariant, says }) => mark(at, `VIOLATION ${invariant}: ${says}`)),
  ];
  // Stable: what happened at the same moment stays in the order in which it was told.
  const all = joined([...lines, ...marks].sort((a, b) => a.at - b.at));
  const width = Math.max(8, ...all.map((line) => line.lane.length));
  const shown = ({ at, lane, says }: ReportLine): string =>
    `${(at / 1000).toFixed(3).padStart(9)}  ${lane.padEnd(width)}  ${says}`.replace(UUID, '$1');
  return all.map(shown);
}

/** The first digits tell it from others. */
const UUID = /\b([0-9a-f]{8})-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;

/** States that one run enters one after the other are one line. */
function joined(lines: readonly ReportLine[]): readonly ReportLine[] {
  const kept: ReportLine[] = [];
  for (const line of lines) {
    const last = kept.at(-1);
    const run = line.says.slice(0, line.says.indexOf(': ') + 2);
    if (line.lane === 'workflow' && last?.lane === 'workflow' && last.says.startsWith(run))
      kept[kept.length - 1] = { ...last, says: `${last.says}, ${line.says.slice(run.length)}` };
    else kept.push(line);
  }
  return kept;
}

/** Without logs, and without beliefs in which only the deadline has moved: a renewal a line would bury the rest. */
function told(facts: readonly Told[]): readonly Told[] {
  const last = new Map<string, string>();
  return facts.filter((fact) => {
    if (fact.type !== 'belief') return fact.type !== 'log';
    const { untilMs, ...rest } = fact.belief;
    const now = JSON.stringify([rest, untilMs === null]);
    const isNew = last.get(fact.machine) !== now;
    last.set(fact.machine, now);
    return isNew;
  });
}

const mark = (at: number, says: string): ReportLine => ({ at, lane: '=====', says, hosts: [] });

function isShown(line: ReportLine, host: string | null): boolean {
  if (host === null || line.lane === '=====' || line.lane === 'BUG') return true;
  if (line.lane === host || line.lane.startsWith(`log ${host}`)) return true;
  if (line.lane === 'FAULT') return line.hosts.includes(host) || line.hosts.every((name) => name === '');
  return line.hosts.includes(host) || line.says.includes(`#${host}#`) || line.says.includes(`/${host} `);
}

function namesIn(facts: readonly Told[], scene: Scene): Names {
  const machines = new Map<string, string>();
  for (const { name, instanceId } of scene.hosts) if (instanceId !== null) machines.set(instanceId, name);
  for (const fact of facts) if (fact.type === 'machine') machines.set(fact.machine, fact.host);
  const byTail = (id: string): string => {
    const known = machines.get(id);
    if (known !== undefined) return known;
    const tail = id.slice(id.lastIndexOf('/') + 1);
    return machines.get(tail) ?? scene.hosts.find((host) => host.name === tail)?.name ?? tail;
  };
  return { hostOfMachine: byTail, hostOfPrincipal: byTail };
}
