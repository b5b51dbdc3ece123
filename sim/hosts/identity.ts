/** Who a simulated host is to the control plane. */
import { parse } from 'yaml';
import { principalOf } from '../../lambdas/shared/cluster.ts';
import type { HostScene, Scene } from '../contract/scene.ts';
import { ACCOUNT } from '../control/functions.ts';

export interface Identity {
  readonly host: string;
  /** null: a server that nobody can power off. */
  readonly instanceId: string | null;
  /** What it registers as its platform identity. */
  readonly machine: string;
  readonly principal: string;
}

/** Of a server that is no EC2 instance the principal is the certificate that the definition names. */
export function identityOf(scene: Scene, { name, instanceId }: HostScene): Identity {
  const named = instanceId === null ? { certificateName: certificateIn(scene.yaml, name) } : { instanceId };
  return { host: name, instanceId, machine: instanceId ?? `m-${name}`, principal: principalOf(named, ACCOUNT) };
}

interface Defined {
  readonly hosts?: readonly { readonly name?: unknown; readonly certificateName?: unknown }[];
}

/** A host that the first definition leaves out is enrolled later, with a certificate in its own name. */
function certificateIn(yaml: string, host: string): string {
  const { hosts } = parse(yaml) as Defined;
  const found = hosts?.find(({ name }) => name === host)?.certificateName;
  return typeof found === 'string' ? found : host;
}
