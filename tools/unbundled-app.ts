/** The app as `cdk` makes it, but without bundles: of those a template holds no more than a hash, and no right depends on them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import * as z from 'zod';

const CDK_JSON = fileURLToPath(new URL('../cdk.json', import.meta.url));
const CdkJson = z.object({ context: z.record(z.string(), z.unknown()) });

export function unbundledApp(outdir: string): App {
  // Flags in it change what the CDK makes, policies among it.
  const { context } = CdkJson.parse(JSON.parse(readFileSync(CDK_JSON, 'utf8')));
  return new App({ outdir, analyticsReporting: false, context: { ...context, 'aws:cdk:bundling-stacks': [] } });
}
