/** One question to the policy evaluator. Emulators of AWS enforce no policies, so this is where they are proven. */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { PolicyDocument } from '../../../lib/permissions/granted.ts';
import { PLACE } from '../../../lib/permissions/template.ts';

export interface Call {
  readonly action: string;
  /** ARN, or `*` for actions that know no resources. */
  readonly on: string;
  /** Condition keys that AWS would put into the request. */
  readonly keys?: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Documents that AWS owns have no account in their ARN, which the evaluator takes for a malformed one: it gets one that is
 * nobody's, in the policy and in the question.
 */
const withAccount = (text: string): string => text.replaceAll('::document/', ':000000000000:document/');

export type Verdict = 'yes' | 'no';

/**
 * Throws if the evaluator cannot judge the call as it is asked: an unknown action, a resource of another type, or a condition
 * key that the action does not have. A `no` to such a call would show nothing.
 */
export async function evaluate(
  documents: readonly PolicyDocument[],
  { action, on, keys = {} }: Call,
): Promise<Verdict> {
  const contextVariables = Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [key, typeof value === 'string' ? value : [...value]]),
  );
  const answer = await runSimulation(
    {
      request: {
        principal: `arn:aws:sts::${PLACE.account}:assumed-role/Role/session`,
        action,
        resource: { resource: withAccount(on), accountId: PLACE.account },
        contextVariables,
      },
      identityPolicies: documents.map((policy, at) => ({
        name: `policy ${at}`,
        policy: PolicyDocument.parse(JSON.parse(withAccount(JSON.stringify(policy)))),
      })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (answer.resultType === 'error') throw new Error(`${action}: ${JSON.stringify(answer.errors)}`);
  const results = answer.resultType === 'single' ? [answer.result] : answer.results;
  const ignored = results.flatMap(({ ignoredContextKeys }) => ignoredContextKeys ?? []);
  if (ignored.length > 0) throw new Error(`${action} knows no ${ignored.join(', ')}`);
  return answer.overallResult === 'Allowed' ? 'yes' : 'no';
}
