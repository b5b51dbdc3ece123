/**
 * What an EC2 instance knows about itself, from its metadata service (version 2: a token first, by PUT). The service is
 * there from the first second of a boot on paper only, so questions are asked again for a while; every wait is bounded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { shown } from '../../core/config/problem.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { Millis } from '../../core/time/time.ts';
import { boundedBody } from './bounded-body.ts';

export const IMDS_ENDPOINT = 'http://169.254.169.254';

const TOKEN_SECONDS = 60;
/** The document has about 500 bytes. */
const ANSWER_BYTES_MAX = 16 * 1024;

export interface ImdsLimits {
  readonly attempts: number;
  /** One question and its whole answer. */
  readonly askMs: Millis;
  readonly pauseMs: Millis;
}
export const IMDS_LIMITS: ImdsLimits = { attempts: 5, askMs: 2_000, pauseMs: 1_000 };

export interface InstanceFacts {
  readonly instanceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly zone: string;
  readonly partition: string;
  /** When this life of the instance began, as EC2's LaunchTime says it; ISO 8601 with milliseconds, UTC. */
  readonly launchTime: string;
}

const Document = z.object({
  instanceId: z.string().regex(/^i-[0-9a-f]{8,17}$/, 'must be an instance id'),
  accountId: z.string().regex(/^\d{12}$/, 'must be twelve digits'),
  region: z.string().regex(/^[a-z]{2,}(-[a-z0-9]+)+$/, 'must be a region'),
  availabilityZone: z.string().min(1),
  pendingTime: z.iso.datetime('must be a moment in UTC'),
});

/** Throws HaError with the question that failed, what came back, and what to change. */
export async function readInstance(endpoint: string = IMDS_ENDPOINT, limits = IMDS_LIMITS): Promise<InstanceFacts> {
  const ask = asker(endpoint, limits);
  const token = await ask('/latest/api/token', {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) },
  });
  const withToken = { headers: { 'x-aws-ec2-metadata-token': token } };
  const document = parsed(await ask('/latest/dynamic/instance-identity/document', withToken));
  const partition = (await ask('/latest/meta-data/services/partition', withToken)).trim();
  if (!/^aws(-[a-z]+)*$/.test(partition)) {
    throw new HaError('protocol_mismatch', `${endpoint}: services/partition is ${shown(partition)}, not a partition`);
  }
  const { instanceId, accountId, region, availabilityZone: zone, pendingTime } = document;
  // As adapters/aws/ec2-reading.ts spells LaunchTime; S7 compares the two.
  return { instanceId, accountId, region, zone, partition, launchTime: new Date(pendingTime).toISOString() };
}

function parsed(text: string): z.infer<typeof Document> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new HaError('protocol_mismatch', `the instance identity document is no JSON: ${shown(text)}`);
  }
  const document = Document.safeParse(json);
  if (document.success) return document.data;
  throw new HaError('protocol_mismatch', `instance identity document: ${z.prettifyError(document.error)}`);
}

type Ask = (path: string, request: { method?: string; headers: Record<string, string> }) => Promise<string>;

function asker(endpoint: string, limits: ImdsLimits): Ask {
  return async (path, request) => {
    let why = '';
    for (let attempt = 1; attempt <= limits.attempts; attempt += 1) {
      if (attempt > 1) await delay(limits.pauseMs);
      const answer = await askOnce(new URL(path, endpoint), request, limits.askMs);
      if ('text' in answer) return answer.text;
      if (answer.isFinal) throw new HaError('forbidden', `instance metadata: ${answer.why}`);
      why = answer.why;
    }
    const advice = 'is this an EC2 instance with its metadata service on? In a container its hop limit must be 2';
    throw new HaError(
      'timed_out',
      `instance metadata: ${why}, ${limits.attempts} times; ${advice}. Off EC2, name "certificate" in the host file`,
    );
  };
}

type Answer = { readonly text: string } | { readonly why: string; readonly isFinal: boolean };

async function askOnce(url: URL, request: Parameters<Ask>[1], askMs: Millis): Promise<Answer> {
  try {
    const response = await fetch(url, { ...request, redirect: 'error', signal: AbortSignal.timeout(askMs) });
    if (response.status === 403) {
      await response.body?.cancel();
      const change = 'switch it on: aws ec2 modify-instance-metadata-options --http-endpoint enabled';
      return { why: `${url.href} answers 403; ${change}`, isFinal: true };
    }
    if (!response.ok) {
      await response.body?.cancel();
      return { why: `${url.href} answers ${response.status}`, isFinal: false };
    }
    const text = await boundedBody(response, ANSWER_BYTES_MAX);
    return text === undefined ? { why: `${url.href}: more than ${ANSWER_BYTES_MAX} bytes`, isFinal: false } : { text };
  } catch (error) {
    return { why: `${url.href}: ${messageOf(causeOf(error) ?? error)}`, isFinal: false };
  }
}

/** fetch says "failed", and why as the cause. */
function causeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
}
