import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from '../constructs/alarms.ts';
import { ControlDashboard } from '../constructs/dashboard.ts';
import { haRunArn } from '../constructs/ha-run.ts';
import type { TableRef } from '../constructs/rights.ts';
import { ownMetrics } from '../constructs/watched.ts';
import { controlNames } from '../control-names.ts';
import type { DeploymentSettings } from '../settings.ts';
import type { ControlStack } from './control-stack.ts';

export interface ObservabilityStackProps extends StackProps {
  readonly heartbeats: TableRef;
  readonly registry: TableRef;
  readonly control: ControlStack;
  readonly settings: DeploymentSettings;
}

/** Looks at the other two by their names: nothing depends on this stack, and it never stands in the way of a change. */
export class ObservabilityStack extends Stack {
  constructor(scope: Construct, id: string, props: ObservabilityStackProps) {
    super(scope, id, props);
    const { control, settings } = props;
    this.addStackDependency(control, 'what is watched is there first');
    const { pages, deadLetters, lambda } = controlNames(control.stackName);
    const watched = {
      // As the Lambdas are told: each deployment counts for itself.
      metrics: ownMetrics(settings.name),
      tables: { heartbeats: props.heartbeats.tableName, registry: props.registry.tableName },
      lambda,
      deadLetters,
      // By this stack's own region and account, which are the other's.
      haRun: haRunArn(this, control.stackName),
    };
    const pagesArn = this.formatArn({ service: 'sns', resource: pages });
    if (settings.alarms.enabled) new Alarms(this, 'Alarms', { watched, pagesArn, settings: settings.alarms });
    if (settings.dashboard) new ControlDashboard(this, 'Dashboard', { watched, dashboardName: this.stackName });
  }
}
