/**
 * What an operator may choose about a deployment: one file, named by the context `holdfast`. Every setting has a default; an
 * empty file is the deployment that most need.
 */
import * as z from 'zod';
import { emailAddress, repeatedAddresses } from '../core/config/email-address.ts';
import { DEFINITION_LIMITS } from '../core/config/limits.ts';
import { type Finding, shown } from '../core/config/problem.ts';
import { flag, list, oneOf, strict, whole, word } from '../core/config/schema-parts.ts';

/** CloudWatch knows these and no others. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653] as const;

/** What DynamoDB gives a table that nobody warms; it takes no less. */
const WARM_READS_MIN = 12_000;
const WARM_WRITES_MIN = 4_000;
const UNITS_MAX = 40_000;

const range = (least: number, most: number) =>
  strict({
    min: whole(1, UNITS_MAX).default(least).describe('units a second that are there at any moment'),
    max: whole(1, UNITS_MAX).default(most).describe('units a second that autoscaling may go to; the cap of the bill'),
  }).prefault({});

const warmThroughput = strict({
  readUnits: whole(WARM_READS_MIN, 1_000_000).default(WARM_READS_MIN),
  writeUnits: whole(WARM_WRITES_MIN, 1_000_000).default(WARM_WRITES_MIN),
});

const table = (writes: readonly [least: number, most: number]) =>
  z
    .discriminatedUnion(
      'billing',
      [
        strict({
          billing: z.literal('on-demand').default('on-demand'),
          warmThroughput: warmThroughput.optional().describe('peaks it takes at once; paid once, when it is raised'),
        }),
        strict({
          billing: z.literal('provisioned').describe('about a third of on-demand for a load as flat as heartbeats'),
          read: range(5, 100),
          write: range(...writes),
          utilisation: whole(20, 90).default(70).describe('per cent of the units in use that autoscaling aims at'),
          warmThroughput: warmThroughput.optional(),
        }),
      ],
      { error: 'must have billing: on-demand, or billing: provisioned' },
    )
    .prefault({ billing: 'on-demand' });

const issuer = z
  .url({ protocol: /^https$/, error: 'must be the https:// address of an OpenID Connect issuer' })
  .max(255, { error: 'must be at most 255 characters' });
const audience = list(word(/^\S+$/, 255, 'must be text without blanks, at most 255 characters'), 20, 'audiences').min(
  1,
  { error: 'must name at least one audience' },
);

const throttle = {
  ratePerSecond: whole(1, 10_000).default(50).describe('requests a second, of all callers together'),
  burst: whole(1, 5_000).default(100).describe('requests at once'),
};

const api = z
  .discriminatedUnion(
    'auth',
    [
      strict({ auth: z.literal('iam').default('iam').describe('who may execute-api:Invoke'), ...throttle }),
      strict({
        auth: z.literal('jwt').describe('whoever carries a token of the issuer'),
        issuer,
        audience,
        operateScope: word(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 255, 'must be one scope, without blanks')
          .default('holdfast/operate')
          .describe('what a token must say for anything that changes something'),
        ...throttle,
      }),
    ],
    { error: 'must have auth: iam, or auth: jwt with issuer and audience' },
  )
  .prefault({ auth: 'iam' });

const minutes = (otherwise: number) => whole(1, 1_440).default(otherwise);

const alarms = strict({
  enabled: flag().default(true).describe('each costs some cents a month for every metric it watches'),
  behindMinutes: minutes(5).describe('hosts behind for so long: a takeover should be over'),
  heldMinutes: minutes(5).describe('slots or runs held for so long'),
  silentMinutes: whole(2, 60).default(3).describe('no sweep for so long: nobody looks after anything'),
  errors: whole(1, 1_000).default(3).describe('failed calls of Lambdas in five minutes'),
  throttles: whole(1, 1_000_000).default(1).describe('requests refused by a table in a minute'),
});

const path = word(/^[^\0]+$/, 1_000, 'must be a path, relative to the file of settings');
const anchor = word(
  /^arn:[a-z-]+:rolesanywhere:[a-z0-9-]+:\d{12}:trust-anchor\/[A-Za-z0-9-]+$/,
  256,
  'must be the ARN of a trust anchor of IAM Roles Anywhere',
);

const definition = z.union([path, list(path, DEFINITION_LIMITS.documents, 'files').min(1)], {
  error: 'must be the path of a definition, or a list of the paths of its parts',
});

export const DeploymentSettings = strict({
  name: word(/^[A-Za-z][A-Za-z0-9-]{0,39}$/, 40, 'must be letters, digits and dashes, at most 40, a letter first')
    .default('Holdfast')
    .describe('first part of the names of the stacks; another name is another, empty, deployment'),
  tables: strict({ heartbeats: table([25, 1_000]), registry: table([10, 400]) }).prefault({}),
  findBehind: strict({
    memoryMb: whole(128, 3_008).default(128).describe('it sleeps most of the time, and is paid by memory'),
    every: oneOf(['loop', 'minute'])
      .default('loop')
      .describe('loop: as often as definitions say; minute: one sweep a minute, for some cents a month'),
  }).prefault({}),
  workflow: strict({
    alias: flag()
      .default(true)
      .describe(
        'runs start through an alias of the newest version, so that it can be turned back; false where AWS is emulated',
      ),
  }).prefault({}),
  api: api.describe('how operators reach the control plane'),
  pages: strict({ emails: list(emailAddress, 20, 'e-mail addresses').default([]) })
    .prefault({})
    .describe('who is called; each address is asked by AWS to confirm'),
  alarms: alarms.prefault({}),
  dashboard: flag().default(true),
  logRetentionDays: z
    .literal(RETENTION_DAYS, { error: `must be one of: ${RETENTION_DAYS.join(', ')}` })
    .default(90)
    .describe('of every log group'),
  offCloud: strict({ trustAnchorArn: anchor }).optional().describe('hosts outside of AWS, known by certificates'),
  definitions: list(definition, 100, 'definitions of clusters')
    .default([])
    .describe('judged together with these settings before anything is deployed; they are not applied'),
});

export type DeploymentSettings = z.output<typeof DeploymentSettings>;
export type TableSettings = DeploymentSettings['tables']['heartbeats'];
export type ApiSettings = DeploymentSettings['api'];

export const DEFAULT_SETTINGS: DeploymentSettings = DeploymentSettings.parse({});

/** What one field cannot see of itself. */
export function settingsFindings(settings: DeploymentSettings): Finding[] {
  return [...unitFindings(settings), ...emailFindings(settings)];
}

function unitFindings({ tables }: DeploymentSettings): Finding[] {
  return Object.entries(tables).flatMap(([name, settings]) =>
    settings.billing === 'on-demand'
      ? []
      : (['read', 'write'] as const).flatMap((kind): Finding[] => {
          const { min, max } = settings[kind];
          if (min <= max) return [];
          const change = `must be at most ${kind}.max ${String(max)}: autoscaling starts from it`;
          return [{ at: ['tables', name, kind, 'min'], got: String(min), change }];
        }),
  );
}

function emailFindings({ pages: { emails } }: DeploymentSettings): Finding[] {
  return repeatedAddresses(emails).map(({ index, first }) => ({
    at: ['pages', 'emails', index],
    got: shown(emails[index]),
    change: `remove it: pages.emails[${String(first)}] is the same address`,
  }));
}
