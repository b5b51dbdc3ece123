/** The stacks of one deployment, synthesised for tests as they are deployed, but without bundles, which `npm run synth` shows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addStacks, type Deployment } from '../../lib/app.ts';
import { readSettings } from '../../lib/read-settings.ts';
import type { DeploymentSettings } from '../../lib/settings.ts';
import { unbundledApp } from '../../tools/unbundled-app.ts';

export interface Resource {
  Type: string;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  DependsOn?: string[];
  Properties: Record<string, unknown>;
}

export interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

export interface Synthesised {
  readonly state: Template;
  readonly control: Template;
  /** undefined: there is none. */
  readonly observability: Template | undefined;
}

export function settingsOf(input: unknown): DeploymentSettings {
  const read = readSettings(input);
  if (read.ok) return read.settings;
  throw new Error(read.problems.map(({ path, got }) => `${path} ${got}`).join('; '));
}

/** `app` in a folder that is removed afterwards. */
export function inApp<Result>(use: (app: App) => Result): Result {
  const outdir = mkdtempSync(join(tmpdir(), 'holdfast-synth-'));
  try {
    return use(unbundledApp(outdir));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

const made = new Map<string, Synthesised>();

/** `input`: as a file of settings says it. The same is made once. */
export function synthesised(input: unknown = {}): Synthesised {
  const key = JSON.stringify(input);
  const found = made.get(key) ?? inApp((app) => templatesOf(addStacks(app, settingsOf(input))));
  made.set(key, found);
  return found;
}

const templatesOf = ({ state, control, observability }: Deployment): Synthesised => ({
  state: Template.fromStack(state),
  control: Template.fromStack(control),
  observability: observability === undefined ? undefined : Template.fromStack(observability),
});

export function resourcesOf(template: Template): [string, Resource][] {
  return Object.entries((template.toJSON() as { Resources: Record<string, Resource> }).Resources);
}

export const idsOf = (template: Template, ...types: string[]): string[] =>
  resourcesOf(template)
    .filter(([, { Type }]) => types.length === 0 || types.includes(Type))
    .map(([id]) => id)
    .sort();

export const list = (actions: string | string[]) => [actions].flat();

/** Statements of every policy in the template, with the logical id of the policy. */
export function statementsOf(template: Template): { policy: string; statement: Statement }[] {
  return resourcesOf(template)
    .filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
    .flatMap(([policy, { Properties }]) => {
      const document = Properties['PolicyDocument'] as { Statement: Statement[] };
      return document.Statement.map((statement) => ({ policy, statement }));
    });
}
