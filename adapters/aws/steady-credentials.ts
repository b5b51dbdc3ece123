/**
 * Credentials that a beat never waits for. The SDK's own chain refreshes five minutes early and in the background, but
 * once what it holds looks expired, every request waits for the metadata service first: a slow one, or a wall clock that
 * jumped ahead, would then cost renewal after renewal (r is a second or two). Here a request gets what is held at once,
 * however old; whether it is still good is for the service that is called to say. Only before the first answer is waited.
 */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { Millis } from '../../core/time/time.ts';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** As SDK clients take it; `memoized` tells them to keep no copy of their own. */
export interface CredentialsProvider {
  (): Promise<Keys>;
  readonly memoized: true;
}

/** EC2 publishes the next keys at least five minutes before the last ones expire; asking earlier gives the same again. */
const REFRESH_AHEAD_MS: Millis = 10 * 60_000;
/** Between the ends of two loads. */
const PAUSE_MS: Millis = 5_000;
/** One question to the metadata service. A load asks a few, one after the other. */
const ASK_MS: Millis = 2_000;
/** A load that has not ended by then counts as failed, whatever it waits for. */
const LOAD_MS: Millis = 20_000;

export interface SteadyPorts {
  readonly load: () => Promise<Keys>;
  /** Milliseconds of the wall clock, which expirations are told in. */
  readonly wallNow: () => number;
  /** Milliseconds of a clock that is never set. */
  readonly now: () => number;
  readonly loadMs?: Millis;
}

export function steadyCredentials(ports: SteadyPorts): CredentialsProvider {
  let held: Keys | undefined;
  let loading: Promise<Keys> | undefined;
  let endedAt = -Infinity;

  const load = (): Promise<Keys> => {
    loading ??= bounded(ports.load, ports.loadMs ?? LOAD_MS)
      .then((keys) => (held = keys))
      .finally(() => {
        loading = undefined;
        endedAt = ports.now();
      });
    return loading;
  };

  const provide = (): Promise<Keys> => {
    if (held === undefined) return load();
    const leftMs = (held.expiration?.getTime() ?? Infinity) - ports.wallNow();
    // What fails here shows in the calls, once the keys held are refused.
    if (leftMs < REFRESH_AHEAD_MS && ports.now() - endedAt >= PAUSE_MS) load().catch(() => undefined);
    return Promise.resolve(held);
  };
  return Object.assign(provide, { memoized: true as const });
}

export interface CredentialSource {
  /** Of the files that the AWS tools read; absent: whatever the machine offers, on EC2 its instance profile. */
  readonly profile?: string | undefined;
  /** Instead of ~/.aws/config. */
  readonly configFile?: string | undefined;
}

/** Keys of this machine, by the SDK's own chain: environment, files, credential process, instance metadata (version 2 only). */
export function hostCredentials({ profile, configFile }: CredentialSource = {}): CredentialsProvider {
  const chain = defaultProvider({
    ...(profile === undefined ? {} : { profile }),
    ...(configFile === undefined ? {} : { configFilepath: configFile }),
    timeout: ASK_MS,
    maxRetries: 2,
    ec2MetadataV1Disabled: true,
  });
  return steadyCredentials({
    load: () => chain({ forceRefresh: true }),
    wallNow: () => Date.now(),
    now: () => performance.now(),
  });
}

async function bounded(load: () => Promise<Keys>, ms: Millis): Promise<Keys> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no credentials within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([load(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
