/** Addresses that pages are sent to: one rule for the settings of a deployment and for the starter that writes them. */
import * as z from 'zod';

export const emailAddress = z
  .email({ error: 'must be an e-mail address' })
  .max(254, { error: 'must be at most 254 characters' });

export interface RepeatedAddress {
  readonly index: number;
  /** Where it stands for the first time. */
  readonly first: number;
}

/** Whoever stands twice would be called twice, and a topic has one subscription of an address. Case makes no other mailbox. */
export function repeatedAddresses(addresses: readonly string[]): readonly RepeatedAddress[] {
  const plain = addresses.map((address) => address.toLowerCase());
  return plain.flatMap((address, index) => {
    const first = plain.indexOf(address);
    return first < index ? [{ index, first }] : [];
  });
}
