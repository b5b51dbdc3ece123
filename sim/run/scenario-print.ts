/** A scenario as text; `parseScenario` reads it back as it was. */
import type { LookAfter, OperatorAct } from '../contract/scene.ts';
import type { Expectation, Scenario } from './scenario.ts';
import { printFault, printHost, printTime } from './scenario-words.ts';

export function printScenario(scenario: Scenario): string {
  const { scene } = scenario;
  const noise = Object.entries(scene.noise).map(([kind, part]) => `${kind}=${part}`);
  const lines = [
    ...scenario.comment.map((line) => `# ${line}`.trimEnd()),
    `seed ${scene.seed}`,
    `cluster ${scene.cluster}`,
    `profile ${scene.profile}`,
    `faults for ${printTime(scene.faultsForMs)}, quiet for ${printTime(scene.quietForMs)}`,
    ...(noise.length === 0 ? [] : [`noise ${noise.join(' ')}`]),
    ...(scenario.mutation === null ? [] : [`mutation ${scenario.mutation}`]),
    '',
    'hosts:',
    ...scene.hosts.map((host) => `  ${printHost(host)}`),
    '',
    'definition:',
    ...block(scene.yaml),
    '',
    ...[...scene.faults.map(printFault), ...scene.acts.flatMap(printAct)],
    '',
    ...scenario.expectations.map((expectation) => `expect: ${printExpectation(expectation)}`),
  ];
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

function block(text: string): string[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `  ${line}`.trimEnd());
}

function printAct(act: OperatorAct | LookAfter): string[] {
  const at = `at ${printTime(act.at)}:`;
  switch (act.do) {
    case 'apply':
      return [`${at} apply`, ...block(act.yaml)];
    case 'move':
      return [`${at} move ${act.where} to ${act.to ?? 'any'}`];
    case 'host':
      return [`${at} host ${act.host} ${act.verb}`];
    case 'switch':
      return [`${at} switch ${act.isOn ? 'on' : 'off'}`];
    case 'look-after':
      return [`${at} look-after ${act.hosts.join(' ')}`];
  }
}

export function printExpectation(expectation: Expectation): string {
  switch (expectation.expect) {
    case 'no violations':
      return 'no violations';
    case 'violation':
      return `violation ${expectation.invariant}`;
    case 'owner':
      return `owner of ${expectation.where} is ${expectation.host}${expectation.by === null ? '' : ` by ${expectation.by}`}`;
    case 'failover':
      return `failover of ${expectation.where} by ${expectation.by}`;
    case 'no failover':
      return `no failover of ${expectation.where}`;
    case 'page':
      return `page ${expectation.text}`;
    case 'state':
      return `state ${expectation.state}`;
  }
}
