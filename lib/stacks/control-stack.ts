import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AgentPackage } from '../constructs/agent-package.ts';
import { ControlApi } from '../constructs/control-api.ts';
import { DeadLetters } from '../constructs/dead-letters.ts';
import { HaRun, haRunArn, haRunStartArn } from '../constructs/ha-run.ts';
import { HostPolicy, OffCloudHosts } from '../constructs/host-policy.ts';
import { HoldfastLambda, type LambdaProps, type Right } from '../constructs/lambda.ts';
import { Pages } from '../constructs/pages.ts';
import { aroundRights, powerRights, runRights, tableRights, type TableRef } from '../constructs/rights.ts';
import { Triggers } from '../constructs/triggers.ts';
import { controlNames, type LambdaId, LAMBDAS } from '../control-names.ts';
import { DEFAULT_SETTINGS, type DeploymentSettings } from '../settings.ts';
import { API_TIMEOUT_MS, CALL_TIMEOUT_MS, STEP_TIMEOUT_MS, SWEEP_TIMEOUT_MS } from '../time-outs.ts';

export { LAMBDAS } from '../control-names.ts';

export interface ControlStackProps extends StackProps {
  readonly heartbeats: TableRef;
  readonly registry: TableRef;
  /** Default: the default settings. */
  readonly settings?: DeploymentSettings | undefined;
}

/** Everything that may be replaced at any time: it keeps nothing that the tables do not hold. */
export class ControlStack extends Stack {
  readonly pages: Pages;
  readonly api: ControlApi;
  private readonly settings: DeploymentSettings;
  private readonly lambdaEnvironment: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: ControlStackProps) {
    super(scope, id, props);
    this.settings = props.settings ?? DEFAULT_SETTINGS;
    const { settings } = this;
    const logRetention = settings.logRetentionDays;
    const names = controlNames(this.stackName);
    const deadLetters = new DeadLetters(this, 'DeadLetters', { queueName: names.deadLetters });
    const { emails } = settings.pages;
    this.pages = new Pages(this, 'Pages', { topicName: names.pages, emails, deadLetters });
    this.lambdaEnvironment = {
      HEARTBEATS_TABLE: props.heartbeats.tableName,
      REGISTRY_TABLE: props.registry.tableName,
      HA_RUN_ARN: haRunStartArn(this, settings.workflow),
      PAGES_TOPIC_ARN: this.pages.topic.topicArn,
      METRICS_NAMESPACE: settings.name,
    };
    const lambdas = this.lambdas(props);

    const haRun = new HaRun(this, 'HaRun', { steps: lambdas, logRetention, alias: settings.workflow.alias });
    const triggers = new Triggers(this, 'Triggers', {
      findBehind: lambdas.FindBehind,
      reconcile: lambdas.Reconcile,
      instanceState: lambdas.InstanceState,
      haFence: lambdas.HaFence,
      deadLetters,
      sweepsOnce: settings.findBehind.every === 'minute',
    });
    this.api = new ControlApi(this, 'HttpApi', {
      apiName: this.stackName,
      settings: settings.api,
      handler: lambdas.Api,
      logRetention,
    });
    // Whoever finds a host behind finds something to start.
    triggers.node.addDependency(haRun);
    this.api.node.addDependency(haRun);
    this.hosts(props);
    this.output('ApiUrl', this.api.url, 'For `holdfast --api` and `holdfast console`.');
    this.output('PagesTopic', this.pages.topic.topicArn, 'Subscribe whoever carries the pager.');
    this.output('HaRunArn', haRunArn(this), 'The workflow whose executions are the runs.');
  }

  private lambdas(tables: ControlStackProps) {
    const { findBehind, api } = this.settings;
    const { readAll, readOne, direct, tombstone, record, forget } = tableRights(tables);
    const { start, look } = runRights(this);
    const power = powerRights(this);
    const around = Object.values(aroundRights(this));
    const page: Right = { actions: ['sns:Publish'], on: [this.pages.topic.topicArn] };
    const ask = [power.sendToShell, power.sendToHosts, power.readAnswers];

    const lambdas = {
      // What is called every minute, all month, has metrics and a log; its traces would cost more than its calls.
      FindBehind: this.lambda('FindBehind', SWEEP_TIMEOUT_MS, { memoryMb: findBehind.memoryMb, isTraced: false }),
      Reconcile: this.lambda('Reconcile', CALL_TIMEOUT_MS, { isTraced: false }),
      // Notices of what AWS will do come once: a store that is away for a moment shall not swallow them.
      InstanceState: this.lambda('InstanceState', CALL_TIMEOUT_MS, { redelivery: { times: 2, forS: 600 } }),
      Api: this.lambda('Api', API_TIMEOUT_MS, {
        environment: api.auth === 'jwt' ? { JWT_OPERATE_SCOPE: api.operateScope } : {},
        // The console, served under the API's own authorisation.
        beside: { console: 'tools/build-console.ts' },
      }),
      HaInvestigate: this.lambda('HaInvestigate', STEP_TIMEOUT_MS),
      HaFence: this.lambda('HaFence', STEP_TIMEOUT_MS),
      HaRecover: this.lambda('HaRecover', STEP_TIMEOUT_MS),
    };
    lambdas.FindBehind.may(readAll, readOne, record, start, look);
    lambdas.InstanceState.may(readAll, readOne, record, start, look, page, power.read);
    lambdas.Reconcile.may(readAll, direct, record, forget, start, look, page);
    lambdas.Api.may(readAll, readOne, record, start, look, power.read);
    lambdas.HaInvestigate.may(readAll, readOne, record, power.read, ...ask);
    lambdas.HaFence.may(readAll, direct, tombstone, record, forget, page, power.read, power.stop, ...around);
    lambdas.HaRecover.may(readAll, direct, record, forget, look, page);
    return lambdas;
  }

  private lambda(
    id: LambdaId,
    timeoutMs: number,
    more: Partial<Pick<LambdaProps, 'memoryMb' | 'environment' | 'beside' | 'isTraced' | 'redelivery'>> = {},
  ): HoldfastLambda {
    return new HoldfastLambda(this, id, {
      name: LAMBDAS[id],
      functionName: controlNames(this.stackName).lambda(id),
      timeoutMs,
      memoryMb: more.memoryMb,
      environment: { ...this.lambdaEnvironment, ...more.environment },
      beside: more.beside,
      isTraced: more.isTraced,
      redelivery: more.redelivery,
      logRetention: this.settings.logRetentionDays,
    });
  }

  /** What the hosts themselves need: a policy for their roles, and the agent to install. */
  private hosts({ heartbeats, registry }: ControlStackProps): void {
    const policy = new HostPolicy(this, 'HostPolicy', { heartbeats, registry });
    this.output('HostPolicyArn', policy.managedPolicyArn, 'Attach it to the roles of hosts on EC2.');
    const agent = new AgentPackage(this, 'AgentPackage');
    this.output('AgentPackage', agent.url, 'The agent, as hosts install it.');
    const { offCloud } = this.settings;
    if (offCloud === undefined) return;
    const { trustAnchorArn } = offCloud;
    const off = new OffCloudHosts(this, 'OffCloudHosts', { heartbeats, registry, trustAnchorArn });
    this.output('OffCloudRoleArn', off.role.roleArn, 'The role that certificates of hosts outside of AWS take.');
    this.output('OffCloudProfileArn', off.profile.attrProfileArn, 'The profile of IAM Roles Anywhere for that role.');
  }

  private output(id: string, value: string, description: string): void {
    // Beside constructs of the same name.
    new CfnOutput(this, `${id}Output`, { value, description }).overrideLogicalId(id);
  }
}
