/** EBS volumes of the local EC2: no data, only who holds them. One data volume per instance. */
import { createHash } from 'node:crypto';
import { VOLUME_MS } from './delays.ts';
import { Ec2Error, notFound } from './ec2-error.ts';
import type { Modes } from './modes.ts';
import { Before } from './stale.ts';

export interface Attachment {
  readonly instance: string;
  readonly device: string;
  readonly state: 'attaching' | 'attached' | 'detaching';
  /** ISO 8601. */
  readonly since: string;
}

export interface Volume {
  readonly id: string;
  /** A volume that is not attached is available. */
  attachment: Attachment | undefined;
}

const DEVICE = '/dev/xvdf';

/** The data volume that belongs to an instance from the beginning. */
export function volumeOf(instance: string): string {
  return `vol-${createHash('sha256').update(instance).digest('hex').slice(0, 17)}`;
}

interface VolumesOptions {
  readonly exists: (instance: string) => boolean;
  readonly modes: Modes;
  readonly later: (ms: number, work: () => void) => void;
}

export class Volumes {
  readonly #volumes = new Map<string, Volume>();
  readonly #before: Before<Volume>;
  readonly #options: VolumesOptions;

  constructor(options: VolumesOptions) {
    this.#options = options;
    this.#before = new Before(options.modes);
  }

  /** For `stale`, which is set already. */
  remember(instances: readonly string[]): void {
    for (const instance of instances) this.#ensure(instance);
    this.#before.remember(this.#volumes, (volume) => ({ ...volume }));
  }

  forget(id?: string): void {
    this.#before.forget(id);
  }

  /** `instances`: all there are. Without `ids`: every volume. */
  list(instances: readonly string[], ids: readonly string[]): readonly Volume[] {
    for (const instance of instances) this.#ensure(instance);
    const all = ids.length === 0 ? [...this.#volumes.values()] : ids.map((id) => this.#find(id, instances));
    return all.map((volume) => this.#before.show(volume.id, volume));
  }

  attach(id: string, instance: string, options: { device: string; instances: readonly string[] }): Volume {
    const volume = this.#find(id, options.instances);
    if (!this.#options.exists(instance)) throw notFound(instance);
    if (volume.attachment !== undefined) {
      const { instance: holder, state } = volume.attachment;
      throw new Ec2Error('VolumeInUse', `${id} is already ${state} (instance ${holder})`);
    }
    return this.#settle(volume, { instance, device: options.device, state: 'attaching', since: now() }, 'attached');
  }

  /** `instance` undefined: from whoever holds it. */
  detach(
    id: string,
    instance: string | undefined,
    { instances, force }: { readonly instances: readonly string[]; readonly force: boolean },
  ): Volume {
    const volume = this.#find(id, instances);
    const { attachment } = volume;
    if (attachment === undefined) throw new Ec2Error('IncorrectState', `Volume '${id}' is in the 'available' state.`);
    if (instance !== undefined && attachment.instance !== instance) {
      throw new Ec2Error('InvalidAttachment.NotFound', `Volume '${id}' is not attached to '${instance}'`);
    }
    const isStuck = this.#options.modes.has('stuck-detaching', id);
    if (attachment.state === 'detaching' && !(isStuck && force)) return volume;
    const leaving: Attachment = { ...attachment, state: 'detaching' };
    if (!isStuck || force) return this.#settle(volume, leaving, undefined);
    volume.attachment = leaving; // The guest does not let go.
    return volume;
  }

  /** What a terminated instance held is free. */
  release(instance: string): void {
    this.#ensure(instance);
    for (const volume of this.#volumes.values()) {
      if (volume.attachment?.instance === instance) volume.attachment = undefined;
    }
  }

  #settle(volume: Volume, attachment: Attachment, end: 'attached' | undefined): Volume {
    volume.attachment = attachment;
    this.#options.later(VOLUME_MS, () => {
      if (volume.attachment !== attachment) return; // Another order came meanwhile.
      volume.attachment = end === undefined ? undefined : { ...attachment, state: end };
    });
    return volume;
  }

  #ensure(instance: string): void {
    const id = volumeOf(instance);
    if (this.#volumes.has(id)) return;
    this.#volumes.set(id, { id, attachment: { instance, device: DEVICE, state: 'attached', since: now() } });
  }

  #find(id: string, instances: readonly string[]): Volume {
    for (const instance of instances) this.#ensure(instance);
    const volume = this.#volumes.get(id);
    if (volume === undefined) throw new Ec2Error('InvalidVolume.NotFound', `The volume '${id}' does not exist.`);
    return volume;
  }
}

function now(): string {
  return new Date().toISOString();
}
