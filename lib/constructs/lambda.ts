import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Bundled as ES modules; packages that still call require() get one. */
const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export interface LambdaProps {
  /** The folder: lambdas/NAME/index.ts. */
  readonly name: string;
  readonly timeout: Duration;
  readonly environment: Readonly<Record<string, string>>;
}

/** What a Lambda may do: actions by name, never a pattern, on the resources named (S16). */
export interface Right {
  readonly actions: readonly string[];
  readonly on: readonly string[];
  /** What must hold besides: operator, key, value. */
  readonly when?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A Lambda with its log group and a role that can do nothing but write to it, until `may` says more. */
export class HoldfastLambda extends Construct {
  readonly fn: NodejsFunction;

  constructor(scope: Construct, id: string, props: LambdaProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // A role of our own: the default one may write to every log group of the account.
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.fn = new NodejsFunction(this, 'Function', {
      entry: `${repository}lambdas/${props.name}/index.ts`,
      handler: 'handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: props.timeout,
      role,
      logGroup,
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
      // A call that failed is not worth an older answer: the next schedule, or the workflow's own Retry, asks again.
      retryAttempts: 0,
      maxEventAge: Duration.seconds(60),
      projectRoot: repository,
      depsLockFilePath: `${repository}package-lock.json`,
      bundling: {
        format: OutputFormat.ESM,
        banner: REQUIRE_BANNER,
        mainFields: ['module', 'main'],
        target: 'node24',
        minify: true,
        // The workflow matches on names of errors.
        keepNames: true,
        sourceMap: true,
        sourceMapMode: SourceMapMode.DEFAULT,
        sourcesContent: false,
        // The SDK goes into the bundle: what was tested is what runs, whatever the runtime ships.
        externalModules: [],
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
