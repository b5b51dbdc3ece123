/** Power of hosts as people and platforms bring it back: what EC2 has stopped is started through EC2, what crashed boots in place. */
import { replacementOf } from '../scene/instance-ids.ts';
import type { SimEc2, SimHosts } from '../contract/parts.ts';
import type { HostEnd, Scene } from '../contract/scene.ts';

export class Machines {
  readonly #hosts: SimHosts;
  readonly #ec2: SimEc2;
  /** The machine that each host is now, if it is an instance. */
  readonly #instances = new Map<string, string>();
  readonly #first = new Map<string, string>();
  readonly #lost = new Set<string>();

  constructor(scene: Scene, hosts: SimHosts, ec2: SimEc2) {
    this.#hosts = hosts;
    this.#ec2 = ec2;
    for (const { name, instanceId } of scene.hosts) {
      if (instanceId === null) continue;
      this.#instances.set(name, instanceId);
      this.#first.set(name, instanceId);
    }
  }

  instanceOf(host: string): string | undefined {
    return this.#instances.get(host);
  }

  isOn(host: string): boolean {
    const instance = this.#instances.get(host);
    if (instance !== undefined) return this.#hosts.power.view(instance)?.power === 'on';
    // The first of that name: a copy of it comes later.
    return this.#hosts.truth().find((machine) => machine.host === host)?.power === 'on';
  }

  /** Whatever took its power, it is on again, now or as soon as EC2 lets it. */
  bringBack(host: string): void {
    if (this.#lost.has(host)) return;
    const instance = this.#instances.get(host);
    if (this.isOn(host) && (instance === undefined || this.#ec2.isRunning(instance))) return;
    if (instance === undefined || this.#ec2.isRunning(instance)) this.#hosts.boot(host);
    else this.#ec2.startByHand(instance);
  }

  /** Nobody brings it back any more. */
  giveUp(host: string): void {
    this.#lost.add(host);
  }

  takePower(host: string, how: HostEnd): void {
    const instance = this.#instances.get(host);
    if (how === 'stopped' && instance !== undefined) this.#ec2.stopByHand(instance);
    else if (this.isOn(host)) this.#hosts.crash(host);
  }

  replace(host: string, generation: number): void {
    const first = this.#first.get(host);
    if (first === undefined) return;
    const next = replacementOf(first, generation);
    this.#instances.set(host, next);
    this.#hosts.replace(host, next);
  }
}
