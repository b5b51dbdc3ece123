/** The Lambdas as `cdk deploy` would upload them: synthesised into a folder of their own, found by the template. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { HaError, messageOf } from '../../core/failures/failures.ts';

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const SYNTH_MS = 180_000;
/** The end of what the CDK said, where its reason is. */
const SAID_CHARS = 2_000;

const Resource = z.looseObject({ Type: z.string(), Properties: z.looseObject({}).optional() });
const Template = z.looseObject({ Resources: z.record(z.string(), Resource).default({}) });
const FunctionProperties = z.looseObject({
  Code: z.looseObject({ S3Key: z.string() }),
  MemorySize: z.int(),
  TracingConfig: z.looseObject({ Mode: z.string() }).optional(),
  Environment: z.looseObject({ Variables: z.record(z.string(), z.unknown()) }).optional(),
});
const AlarmProperties = z.looseObject({
  Metrics: z.array(z.looseObject({ MetricStat: z.unknown().optional() })).optional(),
});
const Assets = z.looseObject({
  files: z.record(z.string(), z.looseObject({ source: z.looseObject({ path: z.string() }), displayName: z.string() })),
});

export interface SynthesisedLambda {
  /** `FindBehind`, as in lib/stacks. */
  readonly name: string;
  /** Of the asset: what is zipped. */
  readonly folder: string;
  readonly memoryMb: number;
  readonly isTraced: boolean;
  /** Names of its variables; values that only a deployment knows are undefined. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Synthesised {
  readonly lambdas: readonly SynthesisedLambda[];
  readonly dashboards: number;
  /** Metrics that alarms watch: each is paid for, also within one alarm. */
  readonly alarmMetrics: number;
}

/** Into `folder`, which must be empty or absent. */
export async function synthesise(folder: string): Promise<Synthesised> {
  const cdk = join(REPOSITORY, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  try {
    await run(process.execPath, [cdk, 'synth', '-q', '-o', folder], { cwd: REPOSITORY, timeout: SYNTH_MS });
  } catch (error) {
    const said = z.looseObject({ stderr: z.string() }).safeParse(error).data?.stderr ?? messageOf(error);
    throw new HaError('config_invalid', `cdk synth failed:\n${said.slice(-SAID_CHARS)}`, { cause: error });
  }
  return readSynthesised(folder);
}

export async function readSynthesised(folder: string): Promise<Synthesised> {
  const files = await readdir(folder);
  const assets = new Map<string, { readonly folder: string; readonly name: string }>();
  for (const file of files.filter((name) => name.endsWith('.assets.json'))) {
    const read = Assets.parse(JSON.parse(await readFile(join(folder, file), 'utf8')));
    for (const [hash, { source, displayName }] of Object.entries(read.files)) {
      assets.set(hash, { folder: join(folder, source.path), name: displayName });
    }
  }
  let [dashboards, alarmMetrics] = [0, 0];
  const lambdas: SynthesisedLambda[] = [];
  for (const file of files.filter((name) => name.endsWith('.template.json'))) {
    const { Resources } = Template.parse(JSON.parse(await readFile(join(folder, file), 'utf8')));
    for (const { Type, Properties } of Object.values(Resources)) {
      if (Type === 'AWS::CloudWatch::Dashboard') dashboards += 1;
      if (Type === 'AWS::CloudWatch::Alarm') alarmMetrics += watchedMetrics(AlarmProperties.parse(Properties));
      if (Type === 'AWS::Lambda::Function') lambdas.push(lambdaOf(FunctionProperties.parse(Properties), assets));
    }
  }
  return { lambdas, dashboards, alarmMetrics };
}

/** An expression over metrics is none itself. */
function watchedMetrics({ Metrics }: z.infer<typeof AlarmProperties>): number {
  return Metrics === undefined ? 1 : Metrics.filter(({ MetricStat }) => MetricStat !== undefined).length;
}

function lambdaOf(
  { Code, MemorySize, TracingConfig, Environment }: z.infer<typeof FunctionProperties>,
  assets: ReadonlyMap<string, { readonly folder: string; readonly name: string }>,
): SynthesisedLambda {
  const asset = assets.get(Code.S3Key.replace(/\.zip$/, ''));
  if (asset === undefined) throw new HaError('not_found', `no asset ${Code.S3Key} in what was synthesised`);
  const variables = Object.entries(Environment?.Variables ?? {});
  const environment = variables.map(([key, value]) => [key, typeof value === 'string' ? value : undefined] as const);
  return {
    // "FindBehind/Function/Code", after the construct.
    name: asset.name.replace(/\/.*$/, ''),
    folder: asset.folder,
    memoryMb: MemorySize,
    isTraced: TracingConfig?.Mode === 'Active',
    environment: Object.fromEntries(environment),
  };
}

export function lambdaNamed({ lambdas }: Synthesised, name: string): SynthesisedLambda {
  const found = lambdas.find((lambda) => lambda.name === name);
  if (found !== undefined) return found;
  throw new HaError('not_found', `no Lambda ${name}: there are ${lambdas.map((lambda) => lambda.name).join(', ')}`);
}
