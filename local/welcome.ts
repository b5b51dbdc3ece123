/** What `npm start` says once the system is there: what runs, where to look, how to break it. */
import type { Runtime } from './runtime.ts';

/** Names beyond these are counted. */
const NAMES_MAX = 12;

export function welcome(runtime: Runtime, about: { isDefaultFolder: boolean; hasControl: boolean }): string {
  return [
    ...whatRuns(runtime),
    '',
    ...(about.hasControl ? [...howToWatch(runtime, about.isDefaultFolder), ''] : []),
    ...howToBreak(runtime, about.isDefaultFolder),
    '',
    ...(about.hasControl ? [...tour(runtime), ''] : []),
    'Ctrl-C ends everything.',
  ]
    .map((line) => `${line}\n`)
    .join('')
    .trimEnd();
}

function whatRuns({ definition, stateDir, apiUrl }: Runtime): string[] {
  const groups = definition.groups.map(
    (group) => `${group.name} (${group.services.map((each) => each.name).join(', ')})`,
  );
  return [
    '',
    `  >>>  open ${apiUrl}  <<<`,
    '',
    `cluster ${definition.cluster}, timing profile ${definition.timing.profile}`,
    `  hosts   ${some(definition.hosts.map((host) => host.name))}`,
    `  groups  ${some(groups)}`,
    `  API     ${apiUrl}/api/v1/, its token is in api.json`,
    `  state   ${stateDir}`,
    '  logs    hosts/NAME/instance.log and control.log in there',
  ];
}

function some(names: readonly string[]): string {
  const more = names.length - NAMES_MAX;
  return more <= 0 ? names.join(', ') : `${names.slice(0, NAMES_MAX).join(', ')} and ${String(more)} more`;
}

function howToWatch({ apiUrl, token }: Runtime, isDefaultFolder: boolean): string[] {
  return [
    'watch it in the console, or from a second terminal in this folder:',
    ...(isDefaultFolder ? [] : [`  export HOLDFAST_API=${apiUrl} HOLDFAST_TOKEN=${token}`]),
    '  npm run holdfast -- status --watch',
    '  npm run holdfast -- runs',
  ];
}

function howToBreak({ definition, stateDir }: Runtime, isDefaultFolder: boolean): string[] {
  const host = definition.hosts[0]?.name ?? 'HOST';
  const where = isDefaultFolder ? '' : ` --state ${stateDir}`;
  const order = (fault: string, says: string): string => `  npm run break -- ${`${fault}${where}`.padEnd(18)}  ${says}`;
  return [
    'break it, in the console or here:',
    order(`power-off ${host}`, `pull its plug (undo: power-on ${host})`),
    order(`cut ${host}`, `cut a host off from AWS (undo: heal ${host})`),
    order(`freeze-guard ${host}`, 'stop its guard (SIGSTOP)'),
    order('kill-control', 'kill the control plane; it is started again'),
    '  npm run break                        everything that can be broken',
    '  npm run failover -- --fault power    or let a script break it, and measure',
  ];
}

/** In the order in which things explain each other. */
function tour({ definition }: Runtime): string[] {
  const host = definition.hosts[0]?.name ?? 'HOST';
  const group = definition.groups[0]?.name ?? 'GROUP';
  return [
    'a tour in four steps:',
    `  1. In the console, ask what would happen if ${host} failed (What if), and why ${group} runs where it runs.`,
    `  2. Pull the plug of ${host}: a run opens, EC2 is read twice, ${group} starts elsewhere. Compare with the answer.`,
    '  3. Read the run: each step, its evidence, and how long it took.',
    `  4. Power ${host} on again, and let the doctor say what would break the next failover.`,
  ];
}
