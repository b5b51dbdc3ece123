/** What one failover consumes: a real run of the workflow, from a host's end to its groups active elsewhere. */
import { HaError } from '../../core/failures/failures.ts';
import type { HistoryEvent } from '../../core/workflow/workflow.ts';
import { thinHostName } from '../../local/thin/thin-definition.ts';
import { type Units, unitsOf } from './meter.ts';
import type { CostSystem } from './system.ts';

/** `off`: EC2 says at once that it is; `cut`: alive and unreachable, so that it is asked, waited for, and fenced. */
export type Way = 'off' | 'cut';

export interface FailoverRun {
  readonly way: Way;
  readonly transitions: number;
  readonly lambdaCalls: number;
  readonly lambdaMs: number;
  /** Of the run's steps and of the hosts that took over, reports included. */
  readonly units: Units;
  /** As Step Functions logs them at level ALL, with data. */
  readonly historyBytes: number;
  readonly seconds: number;
}

export async function measureFailover(system: CostSystem, way: Way, hostNo: number): Promise<FailoverRun> {
  const { driver, meters, calls, fleet } = system;
  const host = thinHostName(hostNo);
  const before = new Set(driver.list({ limit: 10_000 }).map(({ name }) => name));
  meters.runs.take();
  calls.length = 0;
  if (way === 'off') await fleet.powerOff(host);
  else fleet.cut(host);
  const fresh = (): string[] => driver.list({ limit: 10_000 }).flatMap(({ name }) => (before.has(name) ? [] : [name]));
  await system.until(`the failover of ${host} (${way})`, async () => fresh().length > 0 && (await system.isAtRest()));
  const names = fresh();
  const histories = await Promise.all(names.map((name) => driver.history(name)));
  const history = histories.flatMap((events) => events ?? []);
  if (history.length === 0) throw new HaError('not_found', `the failover of ${host} left no history`);
  const times = history.map(({ atMs }) => Number(atMs));
  return {
    way,
    transitions: transitionsOf(history),
    lambdaCalls: calls.length,
    lambdaMs: calls.reduce((sum, { ms }) => sum + ms, 0),
    units: unitsOf(meters.runs.take()),
    historyBytes: history.reduce((sum, event) => sum + JSON.stringify(event).length, 0),
    seconds: (Math.max(...times) - Math.min(...times)) / 1_000,
  };
}

/** Every state that was entered, and every further attempt of a task: Step Functions charges for both. */
export function transitionsOf(history: readonly HistoryEvent[]): number {
  const attempts = new Map<string, number>();
  let transitions = 0;
  for (const event of history) {
    if (event.type === 'StateEntered') {
      transitions += 1;
      attempts.set(`${event.where} ${event.state}`, 0);
    }
    if (event.type !== 'TaskScheduled') continue;
    const key = `${event.where} ${event.state}`;
    const before = attempts.get(key) ?? 0;
    if (before > 0) transitions += 1;
    attempts.set(key, before + 1);
  }
  return transitions;
}
