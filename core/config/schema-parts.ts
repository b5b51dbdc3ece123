/** Small schemas that the definition is made of. Every one says what it must be, because that text reaches an operator. */
import * as z from 'zod';
import { DURATION_PATTERN, formatDuration, parseDuration } from './durations.ts';
import { DEFINITION_LIMITS } from './limits.ts';
import type { AgentKind } from './model.ts';

/** A mapping that refuses unknown keys and says which keys it knows. */
export function strict<S extends z.core.$ZodLooseShape>(shape: S) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `remove it; known here: ${keys}` : `must be a mapping of: ${keys}`,
  });
}

export function word(pattern: RegExp, max: number, must: string) {
  return z.string({ error: must }).max(max, { error: must }).regex(pattern, { error: must });
}

const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Names travel in keys, paths and execution names, so they are short, lower-case and free of separators. */
export function name(max: number) {
  return word(NAME, max, `must be a name of a-z, 0-9 and inner dashes, at most ${max} characters`);
}

export const hostName = name(DEFINITION_LIMITS.hostName);
export const groupName = name(DEFINITION_LIMITS.groupName);
export const serviceName = name(DEFINITION_LIMITS.serviceName);

export const clusterName = name(DEFINITION_LIMITS.clusterName);

/**
 * Common name of a host's certificate: its principal, and so a part of its keys. Without colons, so that it can never be the
 * ARN of an instance (S16), and without what separates the parts of a key.
 */
export const certificateName = word(
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  64,
  'must be a letter or digit, then letters, digits and . _ -, at most 64 characters',
);

/** A duration with a unit; `least` and `most` in milliseconds. */
export function duration({ least = 1, most = 86_400_000 }: { least?: number; most?: number } = {}) {
  const must = `must be a duration with a unit (500ms, 5s, 2m, 1h) from ${formatDuration(least)} to ${formatDuration(most)}`;
  return z
    .string({ error: must })
    .regex(DURATION_PATTERN, { error: must })
    .transform((text, ctx) => {
      const ms = parseDuration(text);
      if (ms !== undefined && ms >= least && ms <= most) return ms;
      ctx.addIssue({ code: 'custom', message: must });
      return z.NEVER;
    });
}

export function whole(least: number, most: number) {
  const must = `must be a whole number from ${least} to ${most}`;
  return z.int({ error: must }).min(least, { error: must }).max(most, { error: must });
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: `must be one of: ${values.join(', ')}` });
}

export function flag() {
  return z.boolean({ error: 'must be true or false' });
}

export function list<T extends z.ZodType>(item: T, most: number, what: string) {
  const must = `must be a list of ${what}, at most ${most}`;
  return z.array(item, { error: must }).max(most, { error: must });
}

const LABEL = /^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$/;

/** A mapping of free keys; `most` entries. */
export function table<T extends z.ZodType>(keys: z.ZodString, value: T, most: number, what: string) {
  const must = `must be a mapping of ${what}, at most ${most}`;
  return z
    .record(keys, value, { error: must })
    .refine((entries) => Object.keys(entries).length <= most, { error: must });
}

const labelText = 'must be text of letters, digits and inner . _ / -, at most 63 characters (quote numbers)';
export const label = word(LABEL, 63, labelText);
export const labels = table(label, label, DEFINITION_LIMITS.labelsPerHost, 'labels');

const AGENT =
  /^(?:exec|ocf:[A-Za-z0-9][A-Za-z0-9._-]*:[A-Za-z0-9][A-Za-z0-9._-]*|lsb:[A-Za-z0-9][A-Za-z0-9._-]*|systemd:[A-Za-z0-9][A-Za-z0-9@._\\:-]*|driver:[a-z0-9][a-z0-9-]*)$/;

export const agent = word(
  AGENT,
  128,
  'must be ocf:PROVIDER:TYPE, lsb:NAME, systemd:UNIT, exec or driver:NAME',
).transform(parseAgent);

function parseAgent(text: string): AgentKind {
  const [kind, ...rest] = text.split(':');
  const tail = rest.join(':');
  switch (kind) {
    case 'ocf':
      return { kind, provider: rest[0] ?? '', type: rest[1] ?? '' };
    case 'lsb':
      return { kind, script: tail };
    case 'systemd':
      return { kind, unit: tail };
    case 'driver':
      return { kind, driver: tail };
    default:
      return { kind: 'exec' };
  }
}

/** The form a definition is written in. */
export function agentText(parsed: AgentKind): string {
  switch (parsed.kind) {
    case 'exec':
      return 'exec';
    case 'ocf':
      return `ocf:${parsed.provider}:${parsed.type}`;
    case 'lsb':
      return `lsb:${parsed.script}`;
    case 'systemd':
      return `systemd:${parsed.unit}`;
    case 'driver':
      return `driver:${parsed.driver}`;
  }
}
