/** Where an OCF resource agent lies, and the environment it is called with. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Unit } from './unit.ts';

export interface OcfCall {
  readonly action: 'start' | 'stop' | 'monitor';
  readonly timeoutMs: number;
  /** 0: not one of a series; `ocf_is_probe` reads it. */
  readonly intervalMs: number;
}

export function agentFile(ocfRoot: string, unit: Unit): string {
  const { agent } = unit.service;
  return agent.kind === 'ocf' ? join(ocfRoot, 'resource.d', agent.provider, agent.type) : '';
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function ocfEnvironment(ocfRoot: string, unit: Unit, call: OcfCall): Readonly<Record<string, string>> {
  const { agent, name, params } = unit.service;
  const [provider, type] = agent.kind === 'ocf' ? [agent.provider, agent.type] : ['', ''];
  return {
    ...unit.env,
    OCF_ROOT: ocfRoot,
    OCF_RA_VERSION_MAJOR: '1',
    OCF_RA_VERSION_MINOR: '1',
    OCF_RESOURCE_INSTANCE: `${unit.group}-${unit.slot}-${name}`,
    OCF_RESOURCE_TYPE: type,
    OCF_RESOURCE_PROVIDER: provider,
    OCF_CHECK_LEVEL: '0',
    HA_LOGFACILITY: 'none',
    OCF_RESKEY_CRM_meta_name: call.action,
    OCF_RESKEY_CRM_meta_timeout: String(call.timeoutMs),
    OCF_RESKEY_CRM_meta_interval: String(call.intervalMs),
    ...Object.fromEntries(Object.entries(params).map(([key, value]) => [`OCF_RESKEY_${key}`, value])),
  };
}
