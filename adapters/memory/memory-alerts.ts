import type { Alerts } from '../../core/ports.ts';

/** Keeps what a person would have been told. */
export class MemoryAlerts implements Alerts {
  readonly pages: { readonly subject: string; readonly text: string }[] = [];
  readonly #faults: (subject: string) => void;

  constructor(faults: (subject: string) => void = () => undefined) {
    this.#faults = faults;
  }

  async page(subject: string, text: string): Promise<void> {
    this.#faults(subject);
    this.pages.push({ subject, text });
  }
}
