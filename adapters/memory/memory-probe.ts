import type { Probe, ProbeTarget } from '../../core/ports.ts';

/** Applications that answer where a test says so, and nowhere else. */
export class MemoryProbe implements Probe {
  /** Targets asked, in order, as `address:port` or URL. */
  readonly asked: string[] = [];
  readonly #answering = new Set<string>();

  set(target: string, outcome: 'answered' | 'silent'): void {
    if (outcome === 'answered') this.#answering.add(target);
    else this.#answering.delete(target);
  }

  async ask(target: ProbeTarget): Promise<'answered' | 'silent'> {
    const name = target.kind === 'tcp' ? `${target.address}:${target.port}` : target.url;
    this.asked.push(name);
    return this.#answering.has(name) ? 'answered' : 'silent';
  }
}
