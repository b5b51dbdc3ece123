/** The CDK app: one deployment per account and region holds many clusters. */
import { App } from 'aws-cdk-lib';
import { ControlStack } from '../lib/stacks/control-stack.ts';
import { StateStack } from '../lib/stacks/state-stack.ts';

const app = new App({ analyticsReporting: false });

// No environment is named and nothing is looked up, so that synth is offline and always the same.
const state = new StateStack(app, 'HoldfastState', {
  description: 'Holdfast: what is known about hosts, groups and runs. Never replaced.',
  terminationProtection: true,
});
new ControlStack(app, 'HoldfastControl', {
  description: 'Holdfast: finds hosts behind, and runs the HA workflow.',
  heartbeats: state.heartbeats,
  registry: state.registry,
});
