/** Rights as tables of Markdown: one for each principal, grants of one resource, condition and reason in one row. */
import { allowedGrants } from '../../lib/permissions/allowed.ts';
import { type Conditions, type Grant, grantLine, grants } from '../../lib/permissions/granted.ts';
import type { Templates } from '../../lib/permissions/template.ts';

interface Section {
  readonly title: string;
  readonly says: string;
  readonly who: readonly string[];
}

const role = (title: string, id: string, says: string): Section => ({ title, says, who: [`${id}Role`] });

const SECTIONS: readonly Section[] = [
  {
    title: 'Hosts on EC2',
    says: 'The managed policy `HostPolicyArn`, which the role of an instance profile carries.',
    who: ['HostPolicy'],
  },
  {
    title: 'Hosts outside of AWS',
    says: 'With `offCloud.trustAnchorArn` in the settings: the role that IAM Roles Anywhere hands to holders of certificates.',
    who: ['OffCloudHostsRole'],
  },
  role('find-behind', 'FindBehind', 'Looks for hosts behind, every few seconds.'),
  role('instance-state', 'InstanceState', 'Told by EC2 and AWS Health of what happens to instances.'),
  role('ha-investigate', 'HaInvestigate', 'First step of a run: asks whether the host is alive.'),
  role(
    'ha-fence',
    'HaFence',
    'Second step: sees to it that the old owner has ended. The only one that may stop a machine.',
  ),
  role('ha-recover', 'HaRecover', 'Third step, and planned work: places and starts what has no owner.'),
  role('reconcile', 'Reconcile', 'Every minute: mends what fell between runs.'),
  role('api', 'Api', 'What operators see and order.'),
  role('The workflow', 'HaRunWorkflow', 'Step Functions, for `ha-run`.'),
  role('The schedules', 'TriggersScheduler', 'EventBridge Scheduler.'),
];

/** Principals that have a policy of their own are told of above; these are let in by a policy of what they reach. */
const BY_RESOURCE: Section = {
  title: 'Let in by what they reach',
  says: 'Services of AWS, by policies of functions, topic, queue and roles.',
  who: [],
};

/** The same policy as the role that carries it. */
const TOLD_ELSEWHERE = ['OffCloudHostsPolicy'];

export function renderTables(templates: Templates): string {
  const all = grants(templates).filter(({ who }) => !TOLD_ELSEWHERE.includes(who));
  const named = SECTIONS.flatMap(({ who }) => who);
  const rest = [...new Set(all.map(({ who }) => who))].filter((who) => !named.includes(who));
  const own = SECTIONS.map((section) => table(section, all, false));
  return [...own, table({ ...BY_RESOURCE, who: rest }, all, true)].join('\n\n');
}

interface Row {
  readonly who: string;
  readonly actions: string[];
  readonly on: string[];
  readonly when: string;
  readonly why: string;
}

function table({ title, says, who }: Section, all: readonly Grant[], isWhoShown: boolean): string {
  const rows = rowsOf(all.filter((grant) => who.includes(grant.who)));
  const head = [...(isWhoShown ? ['who'] : []), 'may', 'on', 'only if', 'why'];
  const lines = rows.map((row) => [
    ...(isWhoShown ? [row.who] : []),
    row.actions.map(code).join(' '),
    row.on.map(code).join(' '),
    row.when,
    row.why,
  ]);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [`### ${title}`, '', says, '', line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}

const code = (text: string): string => `\`${text}\``;

function rowsOf(some: readonly Grant[]): Row[] {
  const whys = new Map(allowedGrants().map((grant) => [grantLine(grant), grant.why]));
  const rows = new Map<string, Row>();
  for (const grant of some) {
    const why = whys.get(grantLine(grant));
    if (why === undefined) throw new Error(`lib/permissions/allowed.ts gives no reason for: ${grantLine(grant)}`);
    const who = grant.effect === 'Deny' ? `refused: ${grant.who}` : grant.who;
    const when = conditionsOf(grant.when);
    const key = [who, when, why].join('\n');
    const row = rows.get(key) ?? { who, actions: [], on: [], when, why };
    rows.set(key, row);
    if (!row.actions.includes(grant.action)) row.actions.push(grant.action);
    if (!row.on.includes(grant.on)) row.on.push(grant.on);
  }
  return [...rows.values()].sort((a, b) => (a.who + a.on[0] + a.actions[0] < b.who + b.on[0] + b.actions[0] ? -1 : 1));
}

/** What each operator means between a key and its values. */
const MEANS: Readonly<Record<string, string>> = {
  'ForAllValues:StringEquals': 'only',
  Null: 'present',
  StringEquals: '=',
  ArnEquals: '=',
  ArnLike: 'like',
  Bool: '=',
  NumericGreaterThanEquals: '≥',
  StringNotLike: 'not like',
};

function conditionsOf(when: Conditions): string {
  return Object.entries(when)
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => {
        const means = MEANS[operator];
        if (means === undefined) throw new Error(`${operator} has no wording here: add one`);
        if (operator === 'Null') return `${code(key)} is ${values.includes('false') ? 'there' : 'not there'}`;
        return `${code(key)} ${means} ${values.map(code).join(' ')}`;
      }),
    )
    .join('<br>');
}
