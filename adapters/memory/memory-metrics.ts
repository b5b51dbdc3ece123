import type { MetricName } from '../../core/metrics/metrics.ts';
import { documentsOf, EMPTY_TALLY, type MetricDocument, tallied } from '../../core/metrics/tally.ts';
import type { Metrics } from '../../core/ports.ts';

/** Keeps what would have been emitted. */
export class MemoryMetrics implements Metrics {
  /** Every recording, in order. */
  readonly recorded: { readonly name: MetricName; readonly value: number; readonly cluster: string | null }[] = [];
  /** The documents of each flush that had any. */
  readonly emitted: (readonly MetricDocument[])[] = [];
  #tally = EMPTY_TALLY;

  record(name: MetricName, value: number, cluster: string | null = null): void {
    this.recorded.push({ name, value, cluster });
    this.#tally = tallied(this.#tally, { name, value, cluster });
  }

  flush(): void {
    const documents = documentsOf(this.#tally);
    this.#tally = EMPTY_TALLY;
    if (documents.length > 0) this.emitted.push(documents);
  }

  /** What was recorded under one name, in order. */
  values(name: MetricName): readonly number[] {
    return this.recorded.filter((sample) => sample.name === name).map(({ value }) => value);
  }
}

/** For where nobody looks at measurements: the local runtime, whose operators have the console, and the simulator. */
export const noMetrics: Metrics = { record: () => undefined, flush: () => undefined };
