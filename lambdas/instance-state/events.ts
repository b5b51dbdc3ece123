/** What EventBridge sends of EC2 and of AWS Health, as far as it is of use. Delivered at least once, late at times, in no order. */
import * as z from 'zod';

/** Before anything about it is asked, each event only names machines. */
const machine = z.string().regex(/^i-[0-9a-f]{8,17}$/);

/** Of an envelope: the same in every delivery of one event, and when it happened by the sender's clock. */
const envelope = { id: z.string().min(1).max(200), time: z.iso.datetime({ offset: true }) };

const StateChange = z.looseObject({
  'detail-type': z.literal('EC2 Instance State-change Notification'),
  detail: z.looseObject({
    'instance-id': machine,
    state: z.enum(['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated']),
  }),
});
export type StateChange = z.infer<typeof StateChange>;

/** Two minutes before EC2 takes a spot instance away; with `hibernate` it begins at once. Sent on a best-effort basis. */
const SpotInterruption = z.looseObject({
  'detail-type': z.literal('EC2 Spot Instance Interruption Warning'),
  ...envelope,
  detail: z.looseObject({ 'instance-id': machine, 'instance-action': z.enum(['terminate', 'stop', 'hibernate']) }),
});
export type SpotInterruption = z.infer<typeof SpotInterruption>;

/** A spot instance is more likely than before to be interrupted; often nothing follows. */
const Rebalance = z.looseObject({
  'detail-type': z.literal('EC2 Instance Rebalance Recommendation'),
  ...envelope,
  detail: z.looseObject({ 'instance-id': machine }),
});
export type Rebalance = z.infer<typeof Rebalance>;

/** Times are as RFC 1123 has them; entities are instances, volumes, zones, accounts. */
const Health = z.looseObject({
  'detail-type': z.literal('AWS Health Event'),
  ...envelope,
  detail: z.looseObject({
    eventArn: z.string().min(1).max(1_600),
    service: z.string(),
    eventTypeCode: z.string().max(200),
    eventTypeCategory: z.string(),
    statusCode: z.string().optional(),
    startTime: z.string().max(100).optional(),
    affectedEntities: z.array(z.looseObject({ entityValue: z.string() })).default([]),
  }),
});
export type Health = z.infer<typeof Health>;

export const CloudEvent = z.discriminatedUnion('detail-type', [StateChange, SpotInterruption, Rebalance, Health]);
export type CloudEvent = z.infer<typeof CloudEvent>;

/** The instances that a health event is about; what else it names is nothing of ours. */
export function machinesOf({ detail }: Health): ReadonlySet<string> {
  const values = detail.affectedEntities.map(({ entityValue }) => /(?:^|\/)(i-[0-9a-f]{8,17})$/.exec(entityValue)?.[1]);
  return new Set(values.filter((value) => value !== undefined));
}
