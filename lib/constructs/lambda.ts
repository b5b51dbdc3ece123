import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { BUNDLING } from './bundling.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Memory buys processor time, of which a cold start has most need; these run for seconds a day, and each is downtime. */
const MEMORY_MB = 512;

/**
 * The first stack that is read with source maps takes some 25 MB for good, and loading them 8 MB more. In 128 MB that kills the
 * function instead of logging why it failed: there the stack names the bundle, and its map lies beside it in the package.
 */
const SOURCE_MAPS_MIN_MB = 256;

export interface LambdaProps {
  /** The folder: lambdas/NAME/index.ts. */
  readonly name: string;
  readonly functionName: string;
  readonly timeoutMs: number;
  /** Default: 512. */
  readonly memoryMb?: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Files besides the bundle: scripts that are called with the folder to write, and its name. Default: none. */
  readonly beside?: Readonly<Record<string, string>> | undefined;
  readonly logRetention: RetentionDays;
  /** How an event that it failed about is given to it again. Default: not at all. */
  readonly redelivery?: Redelivery | undefined;
  /** By X-Ray, which is paid by the trace. Default: yes. */
  readonly isTraced?: boolean | undefined;
}

/** Of calls that nobody waits for. */
export interface Redelivery {
  /** 2 at most, a minute and two minutes later. */
  readonly times: number;
  /** How old an event may be. */
  readonly forS: number;
}

/** What a call that failed about a schedule is worth: the next one asks again, and an older answer is of no use. */
const NEVER: Redelivery = { times: 0, forS: 60 };

/** What a Lambda may do: actions by name, never a pattern, on the resources named (S16). */
export interface Right {
  readonly actions: readonly string[];
  readonly on: readonly string[];
  /** What must hold besides: operator, key, value. */
  readonly when?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const buildsInto = (folder: string, beside: Readonly<Record<string, string>>): string[] =>
  Object.entries(beside).map(([name, script]) => `"${process.execPath}" "${repository}${script}" "${folder}/${name}"`);

/** A Lambda with its log group and a role that can do nothing but write to it, until `may` says more. */
export class HoldfastLambda extends Construct {
  readonly fn: NodejsFunction;

  constructor(scope: Construct, id: string, props: LambdaProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // A role of our own: the default one may write to every log group of the account.
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const memoryMb = props.memoryMb ?? MEMORY_MB;
    const { times, forS } = props.redelivery ?? NEVER;
    const node = memoryMb < SOURCE_MAPS_MIN_MB ? {} : { NODE_OPTIONS: '--enable-source-maps' };
    this.fn = new NodejsFunction(this, 'Function', {
      functionName: props.functionName,
      entry: `${repository}lambdas/${props.name}/index.ts`,
      handler: 'handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: memoryMb,
      timeout: Duration.millis(props.timeoutMs),
      tracing: props.isTraced === false ? Tracing.DISABLED : Tracing.ACTIVE,
      role,
      logGroup,
      environment: { ...props.environment, ...node },
      retryAttempts: times,
      maxEventAge: Duration.seconds(forS),
      projectRoot: repository,
      depsLockFilePath: `${repository}package-lock.json`,
      bundling: {
        ...BUNDLING,
        commandHooks: {
          beforeBundling: () => [],
          beforeInstall: () => [],
          afterBundling: (_, folder) => buildsInto(folder, props.beside ?? {}),
        },
      },
    });
    this.may({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], on: [logGroup.logGroupArn] });
  }

  may(...rights: readonly Right[]): void {
    for (const { actions, on, when } of rights) {
      const statement = new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...on] });
      if (when !== undefined) statement.addConditions(when);
      this.fn.addToRolePolicy(statement);
    }
  }
}
