/** The first definition and the first settings of somebody who has none, with what to think about written beside it. */

export interface StarterHost {
  readonly name: string;
  /** An instance id, or the common name of a certificate. */
  readonly identity: string;
  readonly zone: string | undefined;
}

export const STARTER_PROFILES = ['fast', 'standard', 'conservative'] as const;
export type StarterProfile = (typeof STARTER_PROFILES)[number];

export interface Starter {
  readonly cluster: string;
  readonly profile: StarterProfile;
  readonly hosts: readonly StarterHost[];
  readonly group: string;
}

/** Shorter than the clean stop that the profile leaves time for, so that the sample is stopped, not killed. */
const STOP: Readonly<Record<StarterProfile, string>> = { fast: '800ms', standard: '3s', conservative: '20s' };

export const isInstance = (identity: string): boolean => identity.startsWith('i-');

export function starterDefinition({ cluster, profile, hosts, group }: Starter): string {
  return `# A cluster of Holdfast. "holdfast validate" checks it, "holdfast apply" saves it; nothing invalid is ever saved.
apiVersion: holdfast/v1
cluster: ${scalar(cluster)}

# How soon a silent host is replaced, and what it costs: fast (beats each second), standard (3 s), conservative (5 s).
timing: { profile: ${profile} }

# On EC2 a host is an instance, elsewhere a certificate. fencing: what is done to a host that fell silent, level by level:
# ec2 powers it off; lease waits until it must have stopped by itself.
hosts:
${hosts.map(hostLines).join('')}
groups:
  # What moves together. One place is active; the standby is where it goes when its host is lost.
  - name: ${scalar(group)}
    redundancy: { model: n-plus-m, active: 1, standby: 1 }
${hosts.every(({ zone }) => zone !== undefined) ? '    placement: { spread: zone }\n' : ''}    services:
      # Put your own here. agent: exec (a command that stays in the foreground) or ocf:PROVIDER:TYPE.
      # holdfast-sample comes with the agent and does nothing, so that you can watch a failover first.
      - name: ${scalar(group)}
        agent: exec
        params: { command: [holdfast-sample] }
        monitor: { every: 5s, timeout: 3s }
        actions: { start: { timeout: 20s }, stop: { timeout: ${STOP[profile]} } }
`;
}

function hostLines({ name, identity, zone }: StarterHost): string {
  const isOnEc2 = isInstance(identity);
  return [
    `  - name: ${scalar(name)}`,
    `    ${isOnEc2 ? 'instanceId' : 'certificateName'}: ${scalar(identity)}`,
    ...(zone === undefined ? [] : [`    zone: ${scalar(zone)}`]),
    `    fencing: ${isOnEc2 ? '[[ec2], [lease]]' : '[[lease]]'}`,
    '',
  ].join('\n');
}

export function starterSettings(of: { readonly emails: readonly string[]; readonly definition: string }): string {
  return `# Settings of the deployment, one for an account and region: cdk deploy --all -c holdfast=holdfast.yaml
# Every one has a default; docs/operating/deploy.md names them all.

# First part of the names of the stacks. Another name is another, empty, deployment.
name: Holdfast

# Who is called when a person is needed. AWS asks each address to confirm.
pages:
  emails: [${of.emails.map(scalar).join(', ')}]

# Judged together with these settings before anything is deployed; "holdfast apply" is what saves them.
definitions: [${scalar(of.definition)}]
`;
}

/** As it stands if it is plain, else as JSON, which is YAML as well. */
function scalar(text: string): string {
  return /^[A-Za-z][A-Za-z0-9_.-]*$/.test(text) && !/^(true|false|null|y|yes|n|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
