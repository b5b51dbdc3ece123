/** What the control stack calls its parts: by these the stack that watches it finds them. */

/** The Lambdas by their ids, with their folders. */
export const LAMBDAS = {
  FindBehind: 'find-behind',
  Reconcile: 'reconcile',
  InstanceState: 'instance-state',
  Api: 'api',
  HaInvestigate: 'ha-investigate',
  HaFence: 'ha-fence',
  HaRecover: 'ha-recover',
} as const;

export type LambdaId = keyof typeof LAMBDAS;

export const LAMBDA_IDS = Object.keys(LAMBDAS) as readonly LambdaId[]; // The table's own keys.

/**
 * Names instead of references for the stack that watches this one: a reference would be an export, and CloudFormation refuses
 * every change of what is exported, for as long as somebody imports it.
 */
export const controlNames = (stackName: string) => ({
  pages: `${stackName}-pages`,
  deadLetters: `${stackName}-dead-letters`,
  lambda: (id: LambdaId) => `${stackName}-${LAMBDAS[id]}`,
});
