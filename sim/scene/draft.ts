/** A definition while it is drawn and changed: plain data as an operator would write it, and the YAML of it. */
import { validateDefinition } from '../../core/config/definition.ts';
import type { Definition } from '../../core/config/model.ts';
import type { ProfileName } from '../../core/config/timing-profiles.ts';

export interface DraftHost {
  readonly name: string;
  readonly instanceId?: string;
  readonly certificateName?: string;
  readonly zone: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly capacity?: { readonly cpu: number };
  readonly fencing: readonly (readonly ('ec2' | 'lease')[])[];
}

export interface DraftService {
  readonly name: string;
  readonly agent: 'exec';
  readonly params: { readonly command: readonly string[] };
  readonly dependsOn?: readonly string[];
  readonly needs?: { readonly cpu: number };
  readonly monitor: { readonly every: string; readonly timeout: string };
  readonly actions: {
    readonly start: { readonly timeout: string; readonly attempts: number };
    readonly stop: { readonly timeout: string };
  };
}

export type DraftRedundancy =
  | { readonly model: 'n-plus-m'; readonly active: number; readonly standby: number }
  | { readonly model: 'n'; readonly active: number; readonly exclusive: boolean };

export interface DraftPlacement {
  readonly require?: Readonly<Record<string, string>>;
  readonly prefer?: readonly { readonly host: string; readonly weight: number }[];
  readonly spread?: string;
  readonly apart?: readonly string[];
  readonly together?: readonly string[];
}

export interface DraftGroup {
  readonly name: string;
  readonly redundancy: DraftRedundancy;
  readonly placement?: DraftPlacement;
  readonly priority?: number;
  readonly limits: Readonly<Record<string, number | string>>;
  readonly accepts?: readonly string[];
  readonly probe?: { readonly tcp: string };
  readonly services: readonly DraftService[];
}

export interface Draft {
  readonly cluster: string;
  readonly timing: { readonly profile: ProfileName } & Readonly<Record<string, string | number>>;
  readonly hosts: readonly DraftHost[];
  readonly groups: readonly DraftGroup[];
}

/** One line for each host and group, in YAML's flow style. */
export function yamlOf({ cluster, timing, hosts, groups }: Draft): string {
  const listed = (items: readonly object[]): string =>
    items.length === 0 ? ' []' : items.map((item) => `\n  - ${JSON.stringify(item)}`).join('');
  return [
    'apiVersion: holdfast/v1',
    `cluster: ${cluster}`,
    `timing: ${JSON.stringify(timing)}`,
    `hosts:${listed(hosts)}`,
    `groups:${listed(groups)}`,
    '',
  ].join('\n');
}

/** What the API would make of it; null: it would be refused. */
export function definitionOf(draft: Draft): Definition | null {
  const validation = validateDefinition({ apiVersion: 'holdfast/v1', ...draft });
  return validation.ok ? validation.definition : null;
}
