/** An agent in a process of its own, to be killed: `FOLDER MARK ORDER-JSON`. Prints each report on a line. */
import { bootClock } from '../../../adapters/node/boot-clock.ts';
import { createSupervisors } from '../../../agent/services/slots.ts';
import type { Order } from '../../../core/protocol/records.ts';
import { supervisorOptions } from './bench.ts';

const [folder = '', mark = '', order = ''] = process.argv.slice(2);
const clock = bootClock();
const supervisors = createSupervisors(
  supervisorOptions({
    folder,
    mark,
    ports: {
      now: () => clock.now(),
      leave: () => Promise.resolve({ granted: true, why: '' }),
      release: () => Promise.resolve(true),
      report: ({ order, outcome }) => void process.stdout.write(`${order.id} ${outcome}\n`),
      log: () => undefined,
    },
  }),
);
supervisors.obey(JSON.parse(order) as Order);
setInterval(() => undefined, 1_000);
