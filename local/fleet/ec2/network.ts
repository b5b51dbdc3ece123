/**
 * Network interfaces, addresses and routes of the local EC2: nothing is routed, only who holds what. Each instance has
 * its first interface from the beginning; further ones, Elastic IPs and routes are made by whoever wants some.
 */
import { createHash, randomUUID } from 'node:crypto';
import { VOLUME_MS } from './delays.ts';
import { Ec2Error, notFound } from './ec2-error.ts';
import type { Modes } from './modes.ts';
import { Before } from './stale.ts';

export const SUBNET = 'subnet-0123456789abcdef0';
export const ROUTE_TABLE = 'rtb-0123456789abcdef0';
/** Interfaces that one instance has room for. */
const INDEX_MAX = 7;

export interface NicAttachment {
  readonly id: string;
  readonly instance: string;
  readonly index: number;
  readonly state: 'attaching' | 'attached' | 'detaching';
  /** ISO 8601. */
  readonly since: string;
}

export interface Nic {
  readonly id: string;
  /** The first is its own; the others come and go. */
  readonly addresses: readonly string[];
  readonly attachment: NicAttachment | undefined;
}

export interface Elastic {
  readonly id: string;
  readonly address: string;
  readonly association: { readonly id: string; readonly nic: string } | undefined;
}

export interface NetworkOptions {
  readonly instances: () => readonly string[];
  readonly modes: Modes;
  readonly later: (ms: number, work: () => void) => void;
}

/** The first interface of an instance. */
export function interfaceOf(instance: string): string {
  return `eni-${createHash('sha256').update(instance).digest('hex').slice(0, 17)}`;
}

const fresh = (prefix: string): string => `${prefix}-${randomUUID().replaceAll('-', '').slice(0, 17)}`;

export class Network {
  readonly #nics = new Map<string, Nic>();
  readonly #elastics = new Map<string, Elastic>();
  readonly #routes = new Map<string, string>();
  readonly #nicsBefore: Before<Nic>;
  readonly #elasticsBefore: Before<Elastic>;
  readonly #options: NetworkOptions;
  #addressNo = 10;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#nicsBefore = new Before(options.modes);
    this.#elasticsBefore = new Before(options.modes);
  }

  /** For `stale`, which is set already. */
  remember(): void {
    this.#ensure();
    const copy = <T extends object>(thing: T): T => ({ ...thing });
    this.#nicsBefore.remember(this.#nics, copy);
    this.#elasticsBefore.remember(this.#elastics, copy);
  }

  forget(id?: string): void {
    this.#nicsBefore.forget(id);
    this.#elasticsBefore.forget(id);
  }

  // ---- interfaces ------------------------------------------------------------------------------------------------

  nics(ids: readonly string[] = []): readonly Nic[] {
    this.#ensure();
    const all = ids.length === 0 ? [...this.#nics.values()] : ids.map((id) => this.#nic(id));
    return all.map((nic) => this.#nicsBefore.show(nic.id, nic));
  }

  createNic(address?: string): Nic {
    const nic: Nic = { id: fresh('eni'), addresses: [address ?? this.#nextAddress()], attachment: undefined };
    this.#nics.set(nic.id, nic);
    return nic;
  }

  attachNic(id: string, instance: string, index: number): NicAttachment {
    const nic = this.#nic(id);
    if (!this.#options.instances().includes(instance)) throw notFound(instance);
    if (nic.attachment !== undefined) {
      throw new Ec2Error('InvalidNetworkInterface.InUse', `Interface: [${id}] in use.`);
    }
    const isTaken = [...this.#nics.values()].some(
      ({ attachment }) => attachment?.instance === instance && attachment.index === index,
    );
    if (isTaken || index > INDEX_MAX) {
      const text = `Instance '${instance}' already has an interface attached at device index '${String(index)}'.`;
      throw new Ec2Error('InvalidParameterValue', text);
    }
    const since = new Date().toISOString();
    const attachment: NicAttachment = { id: fresh('eni-attach'), instance, index, state: 'attaching', since };
    this.#settle({ ...nic, attachment }, { ...attachment, state: 'attached' });
    return attachment;
  }

  detachNic(attachmentId: string, force: boolean): void {
    this.#ensure();
    const nic = [...this.#nics.values()].find(({ attachment }) => attachment?.id === attachmentId);
    if (nic?.attachment === undefined) {
      const text = `The networkInterface attachment '${attachmentId}' does not exist.`;
      throw new Ec2Error('InvalidAttachmentID.NotFound', text);
    }
    if (nic.attachment.index === 0) {
      const text = 'The network interface at device index 0 cannot be detached.';
      throw new Ec2Error('OperationNotPermitted', text);
    }
    const isStuck = this.#options.modes.has('stuck-detaching', nic.id) && !force;
    const leaving: Nic = { ...nic, attachment: { ...nic.attachment, state: 'detaching' } };
    if (isStuck) this.#nics.set(nic.id, leaving);
    else this.#settle(leaving, undefined);
  }

  /** What a terminated instance held is free; its first interface goes with it. */
  release(instance: string): void {
    this.#ensure();
    for (const nic of this.#nics.values()) {
      if (nic.attachment?.instance === instance) this.#nics.set(nic.id, { ...nic, attachment: undefined });
    }
  }

  // ---- addresses -------------------------------------------------------------------------------------------------

  assign(id: string, addresses: readonly string[], mayReassign: boolean): void {
    const nic = this.#nic(id);
    for (const address of addresses) {
      const holder = this.#holderOf(address);
      if (holder === undefined || holder.id === id) continue;
      if (holder.addresses[0] === address)
        throw new Ec2Error('InvalidParameterValue', `${address} is a primary address`);
      if (!mayReassign) throw new Ec2Error('InvalidParameterValue', `Address ${address} is already assigned`);
      this.#nics.set(holder.id, { ...holder, addresses: holder.addresses.filter((each) => each !== address) });
    }
    this.#nics.set(id, { ...nic, addresses: [...new Set([...nic.addresses, ...addresses])] });
  }

  unassign(id: string, addresses: readonly string[]): void {
    const nic = this.#nic(id);
    const not = addresses.filter((address) => !nic.addresses.includes(address));
    if (not.length > 0 || addresses.includes(nic.addresses[0] ?? '')) {
      const text = `Some of the addresses [${addresses.join(', ')}] are not assigned to interface ${id}`;
      throw new Ec2Error('InvalidParameterValue', text);
    }
    this.#nics.set(id, { ...nic, addresses: nic.addresses.filter((address) => !addresses.includes(address)) });
  }

  elastics(ids: readonly string[] = []): readonly Elastic[] {
    const all = ids.length === 0 ? [...this.#elastics.values()] : ids.map((id) => this.#elastic(id));
    return all.map((each) => this.#elasticsBefore.show(each.id, each));
  }

  allocate(): Elastic {
    const address = `198.51.100.${String(this.#elastics.size + 1)}`;
    const elastic: Elastic = { id: fresh('eipalloc'), address, association: undefined };
    this.#elastics.set(elastic.id, elastic);
    return elastic;
  }

  associate(id: string, nic: string, mayReassociate: boolean): string {
    const elastic = this.#elastic(id);
    this.#nic(nic);
    const { association } = elastic;
    if (association !== undefined && !mayReassociate && association.nic !== nic) {
      const text = `resource ${id} is already associated with associate-id ${association.id}`;
      throw new Ec2Error('Resource.AlreadyAssociated', text);
    }
    if (association?.nic === nic) return association.id;
    const next = { id: fresh('eipassoc'), nic };
    this.#elastics.set(id, { ...elastic, association: next });
    return next.id;
  }

  disassociate(associationId: string): void {
    const elastic = [...this.#elastics.values()].find(({ association }) => association?.id === associationId);
    if (elastic === undefined) {
      const text = `The association ID '${associationId}' does not exist`;
      throw new Ec2Error('InvalidAssociationID.NotFound', text);
    }
    this.#elastics.set(elastic.id, { ...elastic, association: undefined });
  }

  // ---- routes ----------------------------------------------------------------------------------------------------

  /** By destination. There is one table. */
  routes(table: string): ReadonlyMap<string, string> {
    if (table === ROUTE_TABLE) return this.#routes;
    throw new Ec2Error('InvalidRouteTableID.NotFound', `The routeTable ID '${table}' does not exist`);
  }

  createRoute(destination: string, nic: string): void {
    this.#nic(nic);
    this.#routes.set(destination, nic);
  }

  replaceRoute(table: string, destination: string, nic: string): void {
    if (!this.routes(table).has(destination)) {
      const text = `There is no route defined for '${destination}' in the route table.`;
      throw new Ec2Error('InvalidParameterValue', text);
    }
    this.createRoute(destination, nic);
  }

  #settle(nic: Nic, end: NicAttachment | undefined): void {
    this.#nics.set(nic.id, nic);
    this.#options.later(VOLUME_MS, () => {
      const now = this.#nics.get(nic.id);
      // Another order came meanwhile, unless it is this very one.
      if (now?.attachment === nic.attachment) this.#nics.set(nic.id, { ...(now ?? nic), attachment: end });
    });
  }

  #holderOf(address: string): Nic | undefined {
    return [...this.#nics.values()].find(({ addresses }) => addresses.includes(address));
  }

  #nic(id: string): Nic {
    this.#ensure();
    const nic = this.#nics.get(id);
    if (nic !== undefined) return nic;
    throw new Ec2Error('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`);
  }

  #elastic(id: string): Elastic {
    const elastic = this.#elastics.get(id);
    if (elastic !== undefined) return elastic;
    throw new Ec2Error('InvalidAllocationID.NotFound', `The allocation ID '${id}' does not exist`);
  }

  #ensure(): void {
    for (const instance of this.#options.instances()) {
      const id = interfaceOf(instance);
      if (this.#nics.has(id)) continue;
      const since = new Date().toISOString();
      const attachment: NicAttachment = { id: fresh('eni-attach'), instance, index: 0, state: 'attached', since };
      this.#nics.set(id, { id, addresses: [this.#nextAddress()], attachment });
    }
  }

  #nextAddress(): string {
    this.#addressNo += 1;
    return `10.0.${String(Math.floor(this.#addressNo / 250))}.${String((this.#addressNo % 250) + 1)}`;
  }
}
