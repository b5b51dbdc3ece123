/**
 * The tag that an operator puts on instances which Holdfast may stop and whose guards it may ask, and on Auto Scaling groups
 * whose instances it may put in standby. It only narrows what a Lambda can reach in the account: which instance is which
 * host is bound in the registry, never by tags (S16).
 */
export const HOST_TAG = { key: 'holdfast', value: 'host' } as const;

export function hasHostTag(tags: Readonly<Record<string, string>>): boolean {
  return tags[HOST_TAG.key] === HOST_TAG.value;
}
