/** From plain data, as parsed from YAML, to settings or to every problem found. */
import { type Locate, type Problem, problemText, toProblem } from '../core/config/problem.ts';
import { schemaFindings } from '../core/config/schema-findings.ts';
import { HaError } from '../core/failures/failures.ts';
import { deploymentFindings, type NamedDefinition } from './deployment-checks.ts';
import { DeploymentSettings, settingsFindings } from './settings.ts';

export type ReadSettings =
  | { readonly ok: true; readonly settings: DeploymentSettings }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const NOWHERE: Locate = () => undefined;

export function readSettings(input: unknown, locate: Locate = NOWHERE): ReadSettings {
  const shape = DeploymentSettings.safeParse(input ?? {});
  const findings = shape.success ? settingsFindings(shape.data) : schemaFindings(shape.error.issues, input);
  if (shape.success && findings.length === 0) return { ok: true, settings: shape.data };
  return { ok: false, problems: findings.map((finding) => toProblem(finding, locate)) };
}

/** What does not fit between the settings and the definitions that they name. */
export function checkDeployment(
  settings: DeploymentSettings,
  definitions: readonly NamedDefinition[],
  locate: Locate = NOWHERE,
): readonly Problem[] {
  return deploymentFindings(settings, definitions).map((finding) => toProblem(finding, locate));
}

/** One line a problem, and nothing is synthesised. */
export function refuse(problems: readonly Problem[]): never {
  const lines = problems.map((problem) => `  ${problemText(problem)}`);
  throw new HaError('config_invalid', ['the settings of this deployment are not valid', ...lines].join('\n'));
}
