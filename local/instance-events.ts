/**
 * Delivers the fleet's state changes to the control plane as EventBridge delivers those of EC2:
 * again for a while when nobody is there, then never. Nothing depends on it: reads are the evidence (S7).
 */
import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../core/failures/failures.ts';
import { INSTANCE_STATE_PATH } from './control/api-server.ts';

const TRIES_MAX = 10;
const RETRY_MS = 1_000;
const ANSWER_MS = 30_000;
/** Events that wait at once; a fleet that changes faster than that is being broken on purpose. */
const WAITING_MAX = 1_000;

export interface InstanceEvents {
  /** As EventBridge shows it: `source`, `detail-type`, `detail`. */
  deliver(event: { readonly detail: object }): void;
  /** What still waits is dropped. */
  close(): void;
}

export function deliverTo(
  control: { readonly socket: string; readonly token: string },
  log: (text: string) => void,
): InstanceEvents {
  let isClosed = false;
  let waiting = 0;
  const deliver = async (event: { readonly detail: object }): Promise<void> => {
    const body = JSON.stringify(event);
    let why = '';
    for (let tries = 0; tries < TRIES_MAX && !isClosed; tries += 1) {
      if (tries > 0) await delay(RETRY_MS);
      try {
        await post(control, body);
        return;
      } catch (error) {
        why = messageOf(error);
      }
    }
    if (!isClosed)
      log(`an event of EC2 was not delivered to the control plane (${why}): ${JSON.stringify(event.detail)}`);
  };
  return {
    deliver(event) {
      if (isClosed) return;
      if (waiting >= WAITING_MAX) {
        log(`a state change was dropped: ${String(WAITING_MAX)} wait already`);
        return;
      }
      waiting += 1;
      void deliver(event).finally(() => {
        waiting -= 1;
      });
    },
    close() {
      isClosed = true;
    },
  };
}

function post({ socket, token }: { socket: string; token: string }, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const far = httpRequest(
      { socketPath: socket, path: INSTANCE_STATE_PATH, method: 'POST', agent: false, headers, timeout: ANSWER_MS },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.once('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`answered ${String(answer.statusCode)}: ${text.slice(0, 500)}`));
        });
        answer.once('error', reject);
      },
    );
    far.once('timeout', () => far.destroy(new Error(`no answer within ${String(ANSWER_MS)} ms`)));
    far.once('error', reject);
    far.end(body);
  });
}
