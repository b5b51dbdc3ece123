/** The templates of the real app, as `cdk deploy` makes them but without bundling and cdk-nag: no right depends on those. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import { Template as Synthesised } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { addStacks } from '../../lib/app.ts';
import { Template, type Templates } from '../../lib/permissions/template.ts';
import { DeploymentSettings } from '../../lib/settings.ts';

const CDK_JSON = fileURLToPath(new URL('../../cdk.json', import.meta.url));
const CdkJson = z.object({ context: z.record(z.string(), z.unknown()) });

/** By stack. `settings`: what differs from the default settings. */
export async function synthesised(settings: z.input<typeof DeploymentSettings> = {}): Promise<Templates> {
  const outdir = await mkdtemp(join(tmpdir(), 'holdfast-permissions-'));
  try {
    // Flags in it change the policies that the CDK makes.
    const { context } = CdkJson.parse(JSON.parse(await readFile(CDK_JSON, 'utf8')));
    const app = new App({ outdir, analyticsReporting: false, context: { ...context, 'aws:cdk:bundling-stacks': [] } });
    const { state, control, observability } = addStacks(app, DeploymentSettings.parse(settings));
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
