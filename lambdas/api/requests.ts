/** What the API takes, exactly: a request that fits these schemas is understood, any other is refused with what to change. */
import * as z from 'zod';
import { DEFINITION_LIMITS as LIMITS } from '../../core/config/limits.ts';
import {
  flag,
  groupName,
  hostName,
  label,
  labels,
  list,
  name,
  oneOf,
  strict,
  whole,
  word,
} from '../../core/config/schema-parts.ts';
import type { HostVerbRequest, MoveRequest, SimulateRequest, SwitchRequest } from '../../core/protocol/views.ts';
import { CURSOR_PATTERN } from './cursor.ts';
import { EVENT_ID } from './event-views.ts';

export const LIST_MAX = 1_000;
const LIST_DEFAULT = 50;
const CHANGES_MAX = 50;
/** Without control characters. */
// Said by what is not allowed: the same to readers that count characters and to those that count halves of them.
// eslint-disable-next-line no-control-regex
const ONE_LINE = /^[^\u0000-\u001f\u007f]*$/;
const REASON_MAX = 200;

export const group = groupName.describe('name of a group of the definition');
export const host = hostName.describe('name of a host of the definition');
export const slot = whole(0, LIMITS.places - 1).describe('number of a slot of the group, from 0');
export const run = word(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/, 80, 'must be the name of a run').describe('name of a run');

export const cluster = name(LIMITS.clusterName)
  .optional()
  .describe('which cluster; may be left out while there is only one');
export const limit = whole(1, LIST_MAX).default(LIST_DEFAULT).describe('entries of a page');
export const cursor = word(CURSOR_PATTERN, 200, 'must be the `next` of an earlier page')
  .optional()
  .describe('`next` of the page before; opaque');
export const after = word(EVENT_ID, 60, 'must be the id of an event')
  .optional()
  .describe('id of an event: the first ones that follow it; not together with `cursor`');
export const lastEventId = word(EVENT_ID, 60, 'must be the id of an event').optional();
export const dryRun = oneOf(['0', '1', 'false', 'true'])
  .optional()
  .describe('1: say what would happen, change nothing');

export function isOn(value: z.infer<typeof dryRun>): boolean {
  return value === '1' || value === 'true';
}

/** Text without control characters; halves of characters, which no store keeps, become U+FFFD. */
const reason = z
  .string({ error: `must be text of at most ${REASON_MAX} characters` })
  .max(REASON_MAX, { error: `must be text of at most ${REASON_MAX} characters` })
  .regex(ONE_LINE, { error: 'must be one line without control characters' })
  .overwrite((text) => text.toWellFormed())
  .optional()
  .describe('why, for the record');

const dryRunField = flag().optional().describe('plan only: nothing is changed');

export const MoveBody: z.ZodType<Omit<MoveRequest, 'to'> & { readonly to?: string | null | undefined }> = strict({
  slot,
  to: host.nullish().describe('where to; left out: the best place there is'),
  dryRun: dryRunField,
});

export const HostVerbBody: z.ZodType<HostVerbRequest> = strict({
  reason,
  dryRun: dryRunField,
  force: flag().optional().describe('although a check advises against it; never overrides a safety rule'),
  confirm: word(ONE_LINE, 100, 'must be text of at most 100 characters')
    .optional()
    .describe("for `fence`: the host's name, typed again"),
});

export const SwitchBody: z.ZodType<SwitchRequest> = strict({
  haEnabled: flag().describe('false: nothing is started, moved or fenced automatically'),
  reason,
  dryRun: dryRunField,
});

const amount = z.number({ error: 'must be a number above 0' }).positive({ error: 'must be a number above 0' });

const change = z.discriminatedUnion(
  'change',
  [
    strict({ change: z.literal('host-down'), host }),
    strict({
      change: z.literal('host-added'),
      host: strict({
        name: hostName,
        zone: label.optional(),
        labels: labels.meta({ maxProperties: LIMITS.labelsPerHost }).optional(),
        capacity: strict({ cpu: amount.optional(), memoryMb: amount.optional() }).optional(),
      }),
    }),
    strict({
      change: z.literal('definition'),
      yaml: z
        .string({ error: 'must be a definition as YAML' })
        .max(LIMITS.inputBytes, { error: `must be at most ${LIMITS.inputBytes} characters` })
        .describe('the whole cluster as it would be; validated as when it is applied'),
    }),
  ],
  { error: 'must say change: host-down, host-added or definition' },
);

export const SimulateBody: z.ZodType<SimulateRequest> = strict({
  changes: list(change, CHANGES_MAX, 'changes').describe('one after another, on the state as it is now'),
});
