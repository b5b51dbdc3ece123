/** `node local/witness/main.ts --socket PATH --log FILE [--log-bytes-max N]`: ends on SIGTERM, and on the end of its standard input. */
import { parseArgs } from 'node:util';
import { startWitness } from './witness.ts';

const { values } = parseArgs({
  options: { socket: { type: 'string' }, log: { type: 'string' }, 'log-bytes-max': { type: 'string' } },
});
if (values.socket === undefined || values.log === undefined) {
  process.stderr.write('usage: main.ts --socket PATH --log FILE\n');
  process.exit(2);
}
const bytesMax = values['log-bytes-max'] === undefined ? undefined : Number(values['log-bytes-max']);
const witness = await startWitness({ socket: values.socket, log: values.log, bytesMax });
const end = (): void => {
  void witness.close().then(() => process.exit(0));
};
process.once('SIGTERM', end);
process.stdin.once('end', end).resume();
process.stdout.write('ready\n');
