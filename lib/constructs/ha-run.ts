import { fileURLToPath } from 'node:url';
import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  CfnStateMachineVersion,
  CfnStateMachineAlias,
  DefinitionBody,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { HoldfastLambda } from './lambda.ts';

const definition = fileURLToPath(new URL('../../stepfunctions/ha-run.asl.json', import.meta.url));

/** The names that stand as `${HaInvestigate}` … in the definition. */
export interface HaRunSteps {
  readonly HaInvestigate: HoldfastLambda;
  readonly HaFence: HoldfastLambda;
  readonly HaRecover: HoldfastLambda;
}

export interface HaRunProps {
  readonly steps: HaRunSteps;
  readonly logRetention: RetentionDays;
  /** Whether there is an alias through which runs are started. */
  readonly alias: boolean;
}

/** The alias through which runs are started. */
const LIVE = 'live';

const haRunName = (stackName: string) => `${stackName}-ha-run`;

const arnOf = (stack: Stack, resource: string, resourceName: string) =>
  stack.formatArn({ service: 'states', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });

/**
 * From its name, not from the construct: the steps need it in their environment, and the workflow needs the steps.
 * `of`: the control stack's name, where another stack asks.
 */
export const haRunArn = (stack: Stack, of = stack.stackName) => arnOf(stack, 'stateMachine', haRunName(of));

/**
 * What to start. Through the alias a definition that proves bad is turned back by one call (`UpdateStateMachineAlias`),
 * without a deployment, and each run says which version it follows. Names stay the machine's own: the same name and input is
 * the same execution through whatever ARN, and an execution's ARN carries no alias, so that DescribeExecution finds it. IAM
 * knows the machine only, not its aliases.
 */
export const haRunStartArn = (stack: Stack, { alias }: Pick<HaRunProps, 'alias'>) =>
  alias ? `${haRunArn(stack)}:${LIVE}` : haRunArn(stack);

/** Every execution of the workflow, for DescribeExecution. */
export const haRunExecutions = (stack: Stack) => arnOf(stack, 'execution', `${haRunName(stack.stackName)}:*`);

/**
 * The HA workflow. The definition is data, read unchanged here, by the local runtime and by tests. Time-out and
 * comment stand in it: `fromFile` ignores them as properties. It derives no rights either, so they are given below.
 */
export class HaRun extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, { steps, logRetention, alias }: HaRunProps) {
    super(scope, id);
    const arns = {
      HaInvestigate: steps.HaInvestigate.fn.functionArn,
      HaFence: steps.HaFence.fn.functionArn,
      HaRecover: steps.HaRecover.fn.functionArn,
    };
    this.machine = new StateMachine(this, 'Workflow', {
      stateMachineName: haRunName(Stack.of(this).stackName),
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromFile(definition),
      definitionSubstitutions: arns,
      logs: {
        level: LogLevel.ALL,
        includeExecutionData: true,
        destination: new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY }),
      },
      tracingEnabled: true,
    });
    const resources = Object.values(arns);
    this.machine.addToRolePolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources }));
    if (alias) this.publish();
  }

  /** A version per revision. Earlier ones stay for turning back; the machine takes them along when it is deleted. */
  private publish(): void {
    const version = new CfnStateMachineVersion(this, 'Version', {
      stateMachineArn: this.machine.stateMachineArn,
      stateMachineRevisionId: this.machine.stateMachineRevisionId,
    });
    version.applyRemovalPolicy(RemovalPolicy.RETAIN);
    new CfnStateMachineAlias(this, 'Alias', {
      name: LIVE,
      description: 'What runs are started through. Point it at an earlier version to turn the workflow back.',
      routingConfiguration: [{ stateMachineVersionArn: version.attrArn, weight: 100 }],
    });
  }
}
