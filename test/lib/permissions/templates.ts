/** Templates of two deployments: of the default settings, and with everything that may be asked for. */
import { TRUST_ANCHOR } from '../../../lib/permissions/allowed.ts';
import { synthesised } from '../../../tools/permissions/synth.ts';

/** Far longer than a synth takes on a machine that does nothing else. */
export const SYNTH_MS = 240_000;

export const defaultTemplates = () => synthesised();

export const fullTemplates = () =>
  synthesised({
    tables: { heartbeats: { billing: 'provisioned' }, registry: { billing: 'provisioned' } },
    api: { auth: 'jwt', issuer: 'https://issuer.example', audience: ['holdfast'] },
    pages: { emails: ['pager@example.com'] },
    offCloud: { trustAnchorArn: TRUST_ANCHOR },
  });
