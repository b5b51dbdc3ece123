/** What was measured since the last time it was emitted, folded as it comes in: it grows with names and clusters, not with time. */
import { type Fold, METRIC_NAMES, METRICS, type MetricName } from './metrics.ts';

/** Clusters with a dimension of their own in one emission; of more, each still counts in what has no dimension. */
export const CLUSTERS_MAX = 100;

export interface Sample {
  readonly name: MetricName;
  readonly value: number;
  /** Of a metric of the deployment: none. */
  readonly cluster: string | null;
}

/** By cluster, and within it by name. */
export type Tally = ReadonlyMap<string | null, ReadonlyMap<MetricName, number>>;

export const EMPTY_TALLY: Tally = new Map();

/** What is no measurement (negative, or not finite) is left out. */
export function tallied(tally: Tally, { name, value, cluster }: Sample): Tally {
  if (!Number.isFinite(value) || value < 0) return tally;
  const of = tally.get(cluster) ?? new Map<MetricName, number>();
  const before = of.get(name);
  const folded = before === undefined ? value : fold(METRICS[name].fold, before, value);
  return new Map([...tally, [cluster, new Map([...of, [name, folded]])]]);
}

function fold(how: Fold, before: number, value: number): number {
  switch (how) {
    case 'max':
      return Math.max(before, value);
    case 'sum':
      return before + value;
    case 'last':
      return value;
  }
}

/** One document of an emission: values that share their dimensions. */
export interface MetricDocument {
  /** null: the values are of the deployment, or of a cluster beyond `CLUSTERS_MAX`. */
  readonly cluster: string | null;
  readonly values: readonly { readonly name: MetricName; readonly unit: string; readonly value: number }[];
}

/** In an order that does not depend on what was recorded first. */
export function documentsOf(tally: Tally): readonly MetricDocument[] {
  const clusters = [...tally.keys()].filter((cluster) => cluster !== null).toSorted();
  const named = new Set(clusters.slice(0, CLUSTERS_MAX));
  return [null, ...clusters].flatMap((cluster) => {
    const of = tally.get(cluster);
    if (of === undefined) return [];
    const values = METRIC_NAMES.flatMap((name) => {
      const value = of.get(name);
      return value === undefined ? [] : [{ name, unit: METRICS[name].unit, value }];
    });
    return [{ cluster: cluster !== null && named.has(cluster) ? cluster : null, values }];
  });
}
