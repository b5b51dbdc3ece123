/** What the watch of a machine's power knows of the wait that it runs beside. */
import type { HostRecord } from '../../core/protocol/records.ts';
import type { ClusterFacts } from '../shared/cluster.ts';
import type { Work } from '../shared/work.ts';

export interface Watched {
  readonly facts: ClusterFacts;
  readonly host: HostRecord;
  readonly session: string;
  readonly isLeaseOfNoUse: () => boolean;
}

export interface Watching extends Watched {
  readonly run: string;
  readonly work: Work;
  readonly isOver: () => boolean;
  /** Writes down what has not been said before. */
  readonly say: (step: string, says: string, facts?: object) => Promise<void>;
}
