/** What the watch of a machine's power knows of the wait that it runs beside. */
import type { AutoScaling } from '../../core/cloud-ports.ts';
import type { HostRecord } from '../../core/protocol/records.ts';
import type { ClusterFacts } from '../shared/cluster.ts';
import type { Work } from '../shared/work.ts';

export interface Watched {
  readonly facts: ClusterFacts;
  readonly host: HostRecord;
  readonly session: string;
  readonly isLeaseOfNoUse: () => boolean;
  /** Absent: no group has any machine. */
  readonly scaling?: AutoScaling | undefined;
}

export interface Watching extends Watched {
  readonly run: string;
  readonly work: Work;
  readonly isOver: () => boolean;
  /** Puts it out of reach of its Auto Scaling group; once a watch, however often it is asked. */
  readonly spare: (machine: string) => Promise<void>;
  /** Writes down what has not been said before. */
  readonly say: (step: string, says: string, facts?: object) => Promise<void>;
}
