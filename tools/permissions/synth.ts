/** The templates of the real app, as `cdk deploy` makes them but without bundling and cdk-nag: no right depends on those. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template as Synthesised } from 'aws-cdk-lib/assertions';
import type * as z from 'zod';
import { addStacks } from '../../lib/app.ts';
import { Template, type Templates } from '../../lib/permissions/template.ts';
import { DeploymentSettings } from '../../lib/settings.ts';
import { unbundledApp } from '../unbundled-app.ts';

/** By stack. `settings`: what differs from the default settings. */
export async function synthesised(settings: z.input<typeof DeploymentSettings> = {}): Promise<Templates> {
  const outdir = await mkdtemp(join(tmpdir(), 'holdfast-permissions-'));
  try {
    const { state, control, observability } = addStacks(unbundledApp(outdir), DeploymentSettings.parse(settings));
    return Object.fromEntries(
      [state, control, ...(observability === undefined ? [] : [observability])].map((stack) => [
        stack.stackName,
        Template.parse(Synthesised.fromStack(stack).toJSON()),
      ]),
    );
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}
