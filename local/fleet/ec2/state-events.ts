/** State changes as EventBridge delivers them: at least once, in no certain order, late if told so. */
import { randomUUID } from 'node:crypto';
import { LATE_EVENT_MS, REPEAT_EVENT_MS } from './delays.ts';
import type { Modes } from './modes.ts';
import type { Ec2State } from './records.ts';

export interface StateChangeEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': 'EC2 Instance State-change Notification';
  readonly source: 'aws.ec2';
  readonly account: string;
  /** ISO 8601, whole seconds, as AWS writes it. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: { readonly 'instance-id': string; readonly state: Ec2State };
}

export interface EventSink {
  readonly account: string;
  readonly region: string;
  readonly onStateChange?: ((event: StateChangeEvent) => void) | undefined;
  readonly modes: Modes;
  /** Runs `work` later, unless the local EC2 has ended. */
  readonly later: (ms: number, work: () => void) => void;
}

export function emitStateChange(sink: EventSink, id: string, state: Ec2State): void {
  const { account, region, modes, onStateChange } = sink;
  if (onStateChange === undefined) return;
  const event: StateChangeEvent = {
    version: '0',
    id: randomUUID(),
    'detail-type': 'EC2 Instance State-change Notification',
    source: 'aws.ec2',
    account,
    time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [`arn:aws:ec2:${region}:${account}:instance/${id}`],
    detail: { 'instance-id': id, state },
  };
  const lateMs = modes.has('late-events', id) ? LATE_EVENT_MS : 0;
  const deliver = (): void => onStateChange(event);
  if (lateMs === 0) deliver();
  else sink.later(lateMs, deliver);
  if (modes.has('repeat-events', id)) sink.later(lateMs + REPEAT_EVENT_MS, deliver);
}
