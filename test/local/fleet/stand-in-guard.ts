/**
 * A guard for tests of init and fleet: does what `behaviour` in its state folder says, and notes each start in `starts`.
 * It leaves behind what a real host could: a service in another session, reparented by a double fork.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootClock } from '../../../adapters/node/boot-clock.ts';
import { readHostConfig } from '../../../adapters/node/host-config.ts';
import { initWatchdog } from '../../../adapters/node/watchdog-init.ts';

const { values } = parseArgs({ options: { config: { type: 'string' } } });
const config = readHostConfig(values.config ?? '');
const behaviour = readFileSync(join(config.stateDir, 'behaviour'), 'utf8');
const service = spawn('sh', ['-c', '(setsid sh -c "sleep 1000 & sleep 1000 & wait" &)'], {
  env: { ...process.env, HOLDFAST_ROLE: 'service', HOLDFAST_SLOT: 'test/ledger/0', HOLDFAST_SERVICE: 'db' },
  stdio: 'ignore',
});
service.once('exit', () => {
  const watchdog = initWatchdog(process, bootClock());
  void watchdog.arm(400).then(() => {
    appendFileSync(join(config.stateDir, 'starts'), `${String(process.pid)} ${config.bootId} ${config.launchTime}\n`);
    if (behaviour === 'unfed') return;
    // A shutdown that does not come to its end.
    if (behaviour === 'lingers')
      process.on('SIGTERM', () => appendFileSync(join(config.stateDir, 'told'), 'SIGTERM\n'));
    if (behaviour === 'disarmed') watchdog.disarm();
    else setInterval(() => watchdog.feed(), 50);
    if (behaviour === 'exits') setTimeout(() => process.exit(7), 50);
  });
});
setInterval(() => undefined, 60_000);
