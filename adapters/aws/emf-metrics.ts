/**
 * Metrics as log lines in CloudWatch's embedded metric format: no call, no rights, no waiting. Each line is paid for by its
 * length, so that it is up to the caller how often it flushes.
 */
import { Metrics as Emf } from '@aws-lambda-powertools/metrics';
import { messageOf } from '../../core/failures/failures.ts';
import { CLUSTER_DIMENSION, METRICS, METRICS_NAMESPACE } from '../../core/metrics/metrics.ts';
import { documentsOf, EMPTY_TALLY, type MetricDocument, tallied } from '../../core/metrics/tally.ts';
import type { Metrics } from '../../core/ports.ts';

export interface EmfOptions {
  /** Of the deployment: its name. Default: that of a deployment nobody named. */
  readonly namespace?: string | undefined;
  /** Told when a line could not be made or written. */
  readonly log: (text: string) => void;
}

export function emfMetrics({ namespace = METRICS_NAMESPACE, log }: EmfOptions): Metrics {
  const emf = new Emf({ namespace });
  // There is one service in the namespace; a dimension that is always the same would only be in the way of alarms.
  emf.clearDefaultDimensions();
  let tally = EMPTY_TALLY;
  return {
    record(name, value, cluster) {
      tally = tallied(tally, { name, value, cluster: cluster ?? null });
    },
    flush() {
      const documents = documentsOf(tally);
      tally = EMPTY_TALLY;
      for (const document of documents) {
        try {
          emit(emf, document);
        } catch (error) {
          log(`metrics were not emitted: ${messageOf(error)}`);
        }
      }
    },
  };
}

function emit(emf: Emf, { cluster, values }: MetricDocument): void {
  for (const { name, value } of values) emf.addMetric(name, METRICS[name].unit, value);
  // What alarms look at: without it, a metric of a cluster would be there under its dimension alone.
  emf.addDimensions({});
  if (cluster !== null) emf.addDimensions({ [CLUSTER_DIMENSION]: cluster });
  // Prints one line to stdout, where Lambda takes it up, and forgets what it was given, also when that fails.
  emf.publishStoredMetrics();
}
