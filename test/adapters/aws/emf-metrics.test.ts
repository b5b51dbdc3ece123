/** The lines themselves, judged by the specification of CloudWatch's embedded metric format. */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import * as z from 'zod';
import { emfMetrics } from '../../../adapters/aws/emf-metrics.ts';
import { METRICS, type MetricName } from '../../../core/metrics/metrics.ts';

const UNITS = ['Count', 'Milliseconds'] as const;

/** The part of the specification's own JSON schema that lines of ours can meet or miss. */
const Emf = z.looseObject({
  _aws: z.strictObject({
    Timestamp: z.int().positive(),
    CloudWatchMetrics: z
      .array(
        z.strictObject({
          Namespace: z.string().regex(/^[\w./#:-]{1,255}$/),
          Dimensions: z.array(z.array(z.string().min(1).max(250)).max(30)).min(1),
          Metrics: z.array(z.strictObject({ Name: z.string().min(1).max(1_024), Unit: z.enum(UNITS) })).max(100),
        }),
      )
      .length(1),
  }),
});

/** What was printed; each line must be one document whose names all have a target member of the right type. */
function printed(write: jest.SpiedFunction<typeof process.stdout.write>) {
  const text = write.mock.calls.map(([chunk]) => String(chunk)).join('');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const document = Emf.parse(JSON.parse(line));
      const [directive] = document._aws.CloudWatchMetrics;
      if (directive === undefined) throw new Error('no directive');
      for (const { Name } of directive.Metrics) z.number().parse(document[Name]);
      for (const name of directive.Dimensions.flat()) z.string().min(1).max(1_024).parse(document[name]);
      return { document, ...directive };
    });
}

const spied = () => jest.spyOn(process.stdout, 'write').mockImplementation(() => true);

afterEach(() => void jest.restoreAllMocks());

describe('metrics in embedded metric format', () => {
  test('one line for the deployment, one for each cluster; of a cluster with and without its dimension', () => {
    const write = spied();
    const metrics = emfMetrics({ log: () => undefined });
    metrics.record('SweepMs', 12.5);
    metrics.record('SweepMs', 40);
    metrics.record('SweepLate', 0);
    metrics.record('HostsBehind', 2, 'prod');
    metrics.record('HostsBehind', 0, 'test');
    expect(write).not.toHaveBeenCalled();
    metrics.flush();
    const lines = printed(write);
    expect(lines.map(({ Namespace }) => Namespace)).toEqual(['Holdfast', 'Holdfast', 'Holdfast']);
    expect(lines.map(({ Dimensions }) => Dimensions)).toEqual([[[]], [[], ['cluster']], [[], ['cluster']]]);
    expect(lines.map(({ document }) => document)).toMatchObject([
      { SweepMs: 40, SweepLate: 0 },
      { cluster: 'prod', HostsBehind: 2 },
      { cluster: 'test', HostsBehind: 0 },
    ]);
    // Nothing else is paid for, and no dimension is there that an alarm would have to name.
    expect(lines.map(({ document }) => Object.keys(document).sort())).toEqual([
      ['SweepLate', 'SweepMs', '_aws'],
      ['HostsBehind', '_aws', 'cluster'],
      ['HostsBehind', '_aws', 'cluster'],
    ]);
  });

  test('a deployment that has a name counts for itself', () => {
    const write = spied();
    const metrics = emfMetrics({ namespace: 'Second', log: () => undefined });
    metrics.record('Pages', 1);
    metrics.flush();
    expect(printed(write).map(({ Namespace }) => Namespace)).toEqual(['Second']);
  });

  test('every metric of the table has its unit', () => {
    const write = spied();
    const metrics = emfMetrics({ log: () => undefined });
    for (const name of Object.keys(METRICS)) metrics.record(name as MetricName, 1);
    metrics.flush();
    const units = printed(write).flatMap(({ Metrics }) => Metrics.map(({ Name, Unit }) => `${Name} ${Unit}`));
    expect(units.sort()).toEqual([
      'BudgetSpent Count',
      'ClustersFailed Count',
      'DowntimeMs Milliseconds',
      'Failovers Count',
      'HostsBehind Count',
      'Pages Count',
      'RunsHeld Count',
      'SlotsHeld Count',
      'StoreThrottled Count',
      'SweepLate Count',
      'SweepMs Milliseconds',
    ]);
  });

  test('nothing recorded, nothing printed; and nothing is printed twice', () => {
    const write = spied();
    const warned = jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const metrics = emfMetrics({ log: () => undefined });
    metrics.flush();
    metrics.record('Pages', 1);
    metrics.record('Pages', Number.NaN);
    metrics.flush();
    metrics.flush();
    expect(printed(write)).toHaveLength(1);
    metrics.record('Failovers', 1, 'prod');
    metrics.flush();
    // Neither the values nor the dimensions of one flush are left for the next.
    expect(printed(write).at(-1)?.document).toMatchObject({ cluster: 'prod', Failovers: 1 });
    expect(printed(write).at(-1)?.document).not.toHaveProperty('Pages');
    expect(warned).not.toHaveBeenCalled();
  });

  test('a line that cannot be written (then no log can) fails nobody, and the next one is whole', () => {
    const logged: string[] = [];
    const write = spied();
    write.mockImplementationOnce(() => {
      throw new Error('EPIPE');
    });
    const metrics = emfMetrics({ log: (text) => logged.push(text) });
    metrics.record('Pages', 1);
    metrics.record('HostsBehind', 1, 'prod');
    expect(() => metrics.flush()).not.toThrow();
    metrics.record('Pages', 2);
    metrics.flush();
    write.mock.calls.shift();
    expect(printed(write).map(({ document }) => document)).toMatchObject([
      { cluster: 'prod', HostsBehind: 1 },
      { Pages: 2 },
    ]);
    expect(logged).toEqual([]);
  });

  test('what the library refuses is logged with why', () => {
    const logged: string[] = [];
    spied();
    jest.spyOn(Date, 'now').mockImplementationOnce(() => {
      throw new Error('no clock');
    });
    const metrics = emfMetrics({ log: (text) => logged.push(text) });
    metrics.record('Pages', 1);
    expect(() => metrics.flush()).not.toThrow();
    expect(logged).toEqual(['metrics were not emitted: no clock']);
  });
});
