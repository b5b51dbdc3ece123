/** The functions of the control plane: the shipped handlers, with what their deployment says of each (`lib/stacks/control-stack.ts`). */
import type { Millis } from '../../core/time/time.ts';
import { api } from '../../lambdas/api/handler.ts';
import { findBehind } from '../../lambdas/find-behind/handler.ts';
import { haFence } from '../../lambdas/ha-fence/handler.ts';
import { haInvestigate } from '../../lambdas/ha-investigate/handler.ts';
import { haRecover } from '../../lambdas/ha-recover/handler.ts';
import { instanceState } from '../../lambdas/instance-state/handler.ts';
import { reconcileHandler } from '../../lambdas/reconcile/handler.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import type { ControlPorts } from '../../lambdas/shared/ports.ts';

/** Whose instances the hosts are: principals are made of it (`principalOf`). */
export const ACCOUNT = { partition: 'aws', region: 'local', id: '000000000000' } as const;

export type FunctionName =
  'find-behind' | 'reconcile' | 'instance-state' | 'api' | 'ha-investigate' | 'ha-fence' | 'ha-recover';

interface FunctionSpec {
  readonly make: (ports: ControlPorts) => Handler<unknown>;
  readonly timeoutMs: Millis;
  /** API Gateway asks once; everything else is delivered at least once. */
  readonly isAskedOnce: boolean;
}

const SWEEP_TIMEOUT_MS = 120_000;
const STEP_TIMEOUT_MS = 60_000;
const API_TIMEOUT_MS = 30_000;

const step = (make: FunctionSpec['make']): FunctionSpec => ({ make, timeoutMs: STEP_TIMEOUT_MS, isAskedOnce: false });

export const FUNCTIONS: Readonly<Record<FunctionName, FunctionSpec>> = {
  'find-behind': { make: findBehind, timeoutMs: SWEEP_TIMEOUT_MS, isAskedOnce: false },
  reconcile: step(reconcileHandler),
  'instance-state': step(instanceState),
  api: { make: (ports) => api(ports, { account: ACCOUNT }), timeoutMs: API_TIMEOUT_MS, isAskedOnce: true },
  'ha-investigate': step(haInvestigate),
  'ha-fence': step(haFence),
  'ha-recover': step(haRecover),
};
