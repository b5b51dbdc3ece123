/** For Lambdas without rights on EC2 and SSM. That they never ask is a claim, and this is where it would be found wrong. */
import { invariant } from '../../core/failures/invariant.ts';
import type { MachinePorts } from './aws-store.ts';

function never(): never {
  invariant(false, 'this Lambda has no rights on machines, and asks nothing of them');
}

export const NO_MACHINES: MachinePorts = {
  power: { read: never, stop: never, start: never },
  guardAsk: { check: never },
};
