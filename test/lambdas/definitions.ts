/** Small definitions for stories that the sample is too large for. */

const service = (name: string): string => `
    services:
      - name: ${name}
        agent: exec
        params: { command: ${name} }
        monitor: { every: 1s, timeout: 1s }
        actions: { start: { timeout: 2s }, stop: { timeout: 150ms } }`;

const hosts = (count: number): string =>
  Array.from(
    { length: count },
    (_, at) => `\n  - { name: h${at + 1}, instanceId: i-0000000000000000${at + 1}, zone: z${at + 1} }`,
  ).join('');

export const definitionOf = (options: {
  readonly cluster?: string;
  readonly hosts: number;
  readonly groups: readonly string[];
}): string =>
  `apiVersion: holdfast/v1\ncluster: ${options.cluster ?? 'pair'}\ntiming: { profile: demo }\nhosts:${hosts(options.hosts)}\ngroups:${options.groups.join('')}\n`;

/** One active slot and one standby. */
export const DB = `
  - name: db
    redundancy: { model: n-plus-m, active: 1, standby: 1 }${service('db')}`;

/** One exclusive slot without any standby. */
export const CRON = `
  - name: cron
    redundancy: { model: n, active: 1, exclusive: true }${service('cron')}`;

export const PAIR = definitionOf({ hosts: 2, groups: [DB] });
