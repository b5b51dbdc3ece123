/** A process for the test to kill: starts executions and says which tasks it was asked to do; it never answers `fn:hold`. */
import { openWorkflowDriver } from '../../../local/workflow/driver.ts';
import { processTimers } from '../../../local/workflow/timers.ts';

const [folder = '', definition = ''] = process.argv.slice(2);
const driver = await openWorkflowDriver({
  folder,
  asl: JSON.parse(definition) as never,
  timers: processTimers,
  log: (text) => process.stderr.write(`${text}\n`),
  invoke: (resource, input) => {
    process.stdout.write(`${resource}\n`);
    return resource === 'fn:hold' ? new Promise(() => setInterval(() => undefined, 1000)) : Promise.resolve(input);
  },
});
for (let index = 0; index < 20; index += 1) void driver.start(`run-${index}`, { index });
