/** The one chain around every handler of the control plane: what it notes, what it emits, what it keeps to itself. */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import * as z from 'zod';
import { MemoryMetrics } from '../../adapters/memory/memory-metrics.ts';
import { HaError } from '../../core/failures/failures.ts';
import { edge, type EdgePorts } from '../../lambdas/shared/edge.ts';
import { invocationLog } from '../../lambdas/shared/invocation-log.ts';

interface Chained {
  readonly metrics: MemoryMetrics;
  readonly begun: [unknown, string | null][];
  readonly failed: unknown[];
  readonly ports: EdgePorts;
}

function chained(): Chained {
  const metrics = new MemoryMetrics();
  const begun: [unknown, string | null][] = [];
  const failed: unknown[] = [];
  const invocations = {
    begun: (context: unknown, run: string | null) => void begun.push([context, run]),
    failed: (error: unknown) => void failed.push(error),
  };
  return { metrics, begun, failed, ports: { metrics, invocations } };
}

const Step = z.looseObject({ step: z.string(), run: z.string().optional() });

describe('the edge', () => {
  test('emits what was measured when it is done, in a document of its own for each invocation', async () => {
    const { metrics, ports, begun, failed } = chained();
    const handler = edge(ports, Step, async ({ step }) => {
      metrics.record('Pages', step === 'twice' ? 2 : 1);
      return step;
    });
    expect(await handler({ step: 'once', run: 'ha.h1' }, { awsRequestId: 'r1' })).toBe('once');
    expect(metrics.emitted).toHaveLength(1);
    await handler({ step: 'twice' });
    expect(metrics.emitted.map(([document]) => document?.values[0]?.value)).toEqual([1, 2]);
    expect(begun).toEqual([
      [{ awsRequestId: 'r1' }, 'ha.h1'],
      [{}, null],
    ]);
    expect(failed).toEqual([]);
  });

  test('a failure is thrown as it is, said once, and what was measured before it is emitted', async () => {
    const { metrics, ports, failed } = chained();
    const fault = new HaError('store_throttled', 'slow down');
    const handler = edge(ports, Step, async () => {
      metrics.record('StoreThrottled', 1);
      throw fault;
    });
    await expect(handler({ step: 'x' })).rejects.toBe(fault);
    expect(failed).toEqual([fault]);
    expect(metrics.emitted).toHaveLength(1);
  });

  test('an event that is no event reaches no handler, and is said as well', async () => {
    const { ports, failed, begun } = chained();
    const handle = jest.fn<() => Promise<null>>().mockResolvedValue(null);
    await expect(edge(ports, Step, handle)({ run: { not: 'a name' } })).rejects.toMatchObject({
      code: 'config_invalid',
    });
    expect(handle).not.toHaveBeenCalled();
    expect(failed).toHaveLength(1);
    expect(begun).toEqual([[{}, null]]);
  });

  test('no message shows what authorises the sender', async () => {
    const event = {
      cookies: ['session=abracadabra'],
      headers: { Authorization: 'Bearer abracadabra', 'x-amz-security-token': 'abracadabra' },
      requestContext: { authentication: { clientSecret: 'abracadabra' } },
      stage: 'prod',
    };
    const thrown = await edge(chained().ports, Step, async () => null)(event).catch((error: unknown) => error);
    expect(String(thrown)).not.toContain('abracadabra');
    expect(String(thrown)).toContain('malformed event: step: ');
    expect(String(thrown)).toContain('"headers":{"Authorization":"…"');
  });
});

describe('the log of a Lambda', () => {
  afterEach(() => {
    jest.restoreAllMocks();
    delete process.env['AWS_LAMBDA_INITIALIZATION_TYPE'];
    delete process.env['AWS_LAMBDA_LOG_LEVEL'];
  });

  /** Every line that was printed, on whichever stream. */
  function printing(): () => readonly Record<string, unknown>[] {
    const out: string[] = [];
    const take = (chunk: unknown): boolean => out.push(String(chunk)) > 0;
    jest.spyOn(process.stdout, 'write').mockImplementation(take);
    jest.spyOn(process.stderr, 'write').mockImplementation(take);
    return () =>
      out
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));
  }

  const context = (no: number) => ({
    ...{ awsRequestId: `request-${no}`, functionName: 'HoldfastFence', functionVersion: '$LATEST' },
    ...{ memoryLimitInMB: '256', invokedFunctionArn: 'arn:aws:lambda:eu-west-1:1:function:HoldfastFence' },
  });

  test('each line says which function, invocation and run; nothing is left of the invocation before', () => {
    process.env['AWS_LAMBDA_INITIALIZATION_TYPE'] = 'on-demand';
    const lines = printing();
    const { log, invocations } = invocationLog();
    invocations.begun(context(1), 'ha.h1.s.7');
    log('info', 'hello', { host: 'h1' });
    invocations.begun(context(2), null);
    log('warn', 'again');
    expect(lines()).toMatchObject([
      {
        ...{ level: 'INFO', message: 'hello', service: 'holdfast', function_name: 'HoldfastFence' },
        ...{ function_request_id: 'request-1', cold_start: true, run: 'ha.h1.s.7', host: 'h1' },
      },
      { level: 'WARN', message: 'again', function_request_id: 'request-2', cold_start: false },
    ]);
    expect(lines()[1]).not.toHaveProperty('run');
    expect(lines()[1]).not.toHaveProperty('host');
  });

  test('what is tried again is a warning, what is not an error, and a bug shows where it is', () => {
    const lines = printing();
    const { invocations } = invocationLog();
    invocations.begun({}, null);
    invocations.failed(new HaError('store_throttled', 'slow down'));
    invocations.failed(new HaError('stale_epoch', 'epoch 3 is over'));
    invocations.failed(new TypeError('undefined is not a function'));
    invocations.failed('thrown by hand');
    expect(lines()).toMatchObject([
      { level: 'WARN', code: 'store_throttled', message: 'slow down' },
      { level: 'ERROR', code: 'stale_epoch', message: 'epoch 3 is over' },
      { level: 'ERROR', error: { name: 'TypeError', stack: expect.stringContaining('edge.test') as unknown } },
      { level: 'ERROR', message: 'thrown by hand' },
    ]);
  });

  test('the environment sets the level', () => {
    process.env['AWS_LAMBDA_LOG_LEVEL'] = 'WARN';
    const lines = printing();
    const { log } = invocationLog();
    log('info', 'not this');
    log('warn', 'but this');
    expect(lines().map(({ message }) => message)).toEqual(['but this']);
  });
});
