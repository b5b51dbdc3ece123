/** The CDK app: one deployment per account and region holds many clusters. `-c holdfast=FILE` names its settings. */
import { App } from 'aws-cdk-lib';
import { FAILURES, failureCode, HaError, messageOf } from '../core/failures/failures.ts';
import { addStacks } from '../lib/app.ts';
import { checkWithNag } from '../lib/nag.ts';
import { loadSettings } from './settings-file.ts';

const app = new App({ analyticsReporting: false });

try {
  const file: unknown = app.node.tryGetContext('holdfast');
  // An unset variable of a shell, most likely: all defaults would replace what is deployed.
  if (file === '') throw new HaError('config_invalid', '-c holdfast= names no file; leave it out for all defaults');
  const settings = await loadSettings(typeof file === 'string' ? file : undefined);
  addStacks(app, settings);
  checkWithNag(app);
} catch (error) {
  const code = failureCode(error);
  if (code === undefined) throw error;
  console.error(`${code}: ${messageOf(error)}`);
  // At once: the app would synthesise what it has when the process ends by itself.
  process.exit(FAILURES[code].exit);
}
