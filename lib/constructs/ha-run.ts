import { fileURLToPath } from 'node:url';
import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { HoldfastLambda } from './lambda.ts';

const definition = fileURLToPath(new URL('../../stepfunctions/ha-run.asl.json', import.meta.url));

/** The names that stand as `${HaInvestigate}` … in the definition. */
export interface HaRunSteps {
  readonly HaInvestigate: HoldfastLambda;
  readonly HaFence: HoldfastLambda;
  readonly HaRecover: HoldfastLambda;
}

const haRunName = (stack: Stack) => `${stack.stackName}-ha-run`;

const arnOf = (stack: Stack, resource: string, resourceName: string) =>
  stack.formatArn({ service: 'states', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });

/** From its name, not from the construct: the steps need it in their environment, and the workflow needs the steps. */
export const haRunArn = (stack: Stack) => arnOf(stack, 'stateMachine', haRunName(stack));

/** Every execution of the workflow, for DescribeExecution. */
export const haRunExecutions = (stack: Stack) => arnOf(stack, 'execution', `${haRunName(stack)}:*`);

/**
 * The HA workflow. The definition is data, read unchanged here, by the local runtime and by tests. Time-out and
 * comment stand in it: `fromFile` ignores them as properties. It derives no rights either, so they are given below.
 */
export class HaRun extends Construct {
  constructor(scope: Construct, id: string, steps: HaRunSteps) {
    super(scope, id);
    const { HaInvestigate, HaFence, HaRecover } = steps;
    const arns = [HaInvestigate, HaFence, HaRecover].map(({ fn }) => fn.functionArn);
    const machine = new StateMachine(this, 'Workflow', {
      stateMachineName: haRunName(Stack.of(this)),
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromFile(definition),
      definitionSubstitutions: {
        HaInvestigate: HaInvestigate.fn.functionArn,
        HaFence: HaFence.fn.functionArn,
        HaRecover: HaRecover.fn.functionArn,
      },
      logs: {
        level: LogLevel.ALL,
        includeExecutionData: true,
        destination: new LogGroup(this, 'Logs', {
          retention: RetentionDays.THREE_MONTHS,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
      tracingEnabled: true,
    });
    machine.addToRolePolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: arns }));
  }
}
