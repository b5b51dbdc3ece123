import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, test } from '@jest/globals';
import { addStacks, type Deployment } from '../../lib/app.ts';
import { ACKNOWLEDGED, checkWithNag } from '../../lib/nag.ts';
import { SETTINGS_VARIANTS } from '../../tools/settings-variants.ts';
import { inApp, settingsOf } from './synthesised.ts';

interface Report {
  readonly pluginReports: readonly {
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

/** What both packs, and the CDK's own rules for templates, find: `RULE at PATH`. */
function findings(input: unknown, plant: (stacks: Deployment) => void = () => {}): string[] {
  return inApp((app) => {
    const stacks = addStacks(app, settingsOf(input));
    plant(stacks);
    checkWithNag(app);
    try {
      app.synth();
    } catch (error) {
      if (!String(error).includes('ValidationFailed') && !String(error).includes('ERROR')) throw error;
    }
    // Where the CDK puts what was found, whether or not it goes on after that; no file, no test.
    const report = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')) as Report;
    const found = report.pluginReports.flatMap(({ violations }) => violations);
    return found.flatMap(({ ruleName, violatingConstructs }) =>
      violatingConstructs.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    );
  });
}

describe('AwsSolutions and Serverless', () => {
  test.each(Object.entries(SETTINGS_VARIANTS))(
    'a deployment %s is clean',
    (_, input) => {
      expect(findings(input)).toEqual([]);
    },
    60_000,
  );

  test('what is planted is found', () => {
    const planted = findings({}, ({ control }) => void new Bucket(control, 'Planted'));
    expect(planted).toContain('AwsSolutions-S10 at HoldfastControl/Planted/Resource');
  }, 60_000);
});

describe('acknowledgements', () => {
  const all = Object.values(ACKNOWLEDGED).flat();

  test('each says why, and no rule is waved through as a whole where it reports findings one by one', () => {
    expect(all.length).toBeGreaterThan(5);
    for (const { rule, reason } of all) {
      expect(reason.length).toBeGreaterThan(40);
      if (rule.startsWith('AwsSolutions-IAM5')) expect(rule).toMatch(/\[.+\]$/);
    }
  });
});
