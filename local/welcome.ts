/** What `npm start` says once the system is there: what runs, how to watch it, how to break it. */
import type { Runtime } from './runtime.ts';

export function welcome(runtime: Runtime, about: { isDefaultFolder: boolean; hasControl: boolean }): string {
  return [
    ...whatRuns(runtime),
    '',
    ...(about.hasControl ? [...howToWatch(runtime, about.isDefaultFolder), ''] : []),
    ...howToBreak(runtime, about.isDefaultFolder),
    '',
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
    `cluster ${definition.cluster}, timing profile ${definition.timing.profile}`,
    `  hosts   ${definition.hosts.map((host) => host.name).join(', ')}`,
    `  groups  ${groups.join(', ')}`,
    `  API     ${apiUrl}, its token is in api.json`,
    `  state   ${stateDir}`,
    '  logs    hosts/NAME/instance.log and control.log in there',
  ];
}

function howToWatch({ apiUrl, token }: Runtime, isDefaultFolder: boolean): string[] {
  return [
    'watch it from a second terminal, in this folder:',
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
    'break it:',
    order(`cut ${host}`, `cut a host off from AWS (undo: heal ${host})`),
    order(`power-off ${host}`, `pull its plug (undo: power-on ${host})`),
    order(`freeze-guard ${host}`, 'stop its guard (SIGSTOP)'),
    order('kill-control', 'kill the control plane; it is started again'),
    '  npm run break                        everything that can be broken',
    '  npm run failover -- --fault cut      or let a script break it, and measure',
  ];
}
