/** The stacks of one deployment: state, control, observability. */
import type { App } from 'aws-cdk-lib';
import { acknowledge } from './nag.ts';
import type { DeploymentSettings } from './settings.ts';
import { ControlStack } from './stacks/control-stack.ts';
import { ObservabilityStack } from './stacks/observability-stack.ts';
import { StateStack } from './stacks/state-stack.ts';

export interface Deployment {
  readonly state: StateStack;
  readonly control: ControlStack;
  /** undefined: neither alarms nor a dashboard were asked for. */
  readonly observability: ObservabilityStack | undefined;
}

/** No environment is named and nothing is looked up, so that synth is offline and always the same. */
export function addStacks(app: App, settings: DeploymentSettings): Deployment {
  const { name } = settings;
  const state = new StateStack(app, `${name}State`, {
    description: 'Holdfast: what is known about hosts, groups and runs. Never replaced.',
    terminationProtection: true,
    tables: settings.tables,
  });
  const { heartbeats, registry } = state;
  const control = new ControlStack(app, `${name}Control`, {
    description: 'Holdfast: finds hosts behind, and runs the HA workflow.',
    heartbeats,
    registry,
    settings,
  });
  acknowledge(state, 'state');
  acknowledge(control, 'control');
  if (!settings.alarms.enabled && !settings.dashboard) return { state, control, observability: undefined };
  const observability = new ObservabilityStack(app, `${name}Observability`, {
    description: 'Holdfast: alarms and a dashboard about the control plane.',
    heartbeats,
    registry,
    control,
    settings,
  });
  return { state, control, observability };
}
