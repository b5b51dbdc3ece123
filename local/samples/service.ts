/**
 * Sample service: counts on a "disk" kept by the witness, the next value only after the last was acknowledged.
 *
 * Its open socket shows that it runs; values that do not rise show that two ran at once. Without a witness it just runs.
 * SIGTERM ends it at once; after SIGUSR1 it ignores SIGTERM, like a service that will not stop.
 */
import { createConnection } from 'node:net';
import { parseArgs } from 'node:util';

const WRITE_EVERY_MS = 20;
const RECONNECT_MS = 200;

const { values } = parseArgs({ options: { name: { type: 'string' }, witness: { type: 'string' } }, strict: true });
const environment = process.env;
const hello = {
  slot: environment['HOLDFAST_SLOT'] ?? 'none',
  service: values.name ?? environment['HOLDFAST_SERVICE'] ?? 'sample',
  epoch: Number(environment['HOLDFAST_EPOCH'] ?? 0),
  host: environment['HOLDFAST_HOST'] ?? '',
  pid: process.pid,
};
const witness = values.witness ?? environment['HOLDFAST_WITNESS'];

let isStubborn = false;
process.on('SIGUSR1', () => {
  isStubborn = true;
  process.title = 'stubborn sample'; // For who looks at the processes.
});
process.on('SIGTERM', () => {
  if (!isStubborn) process.exit(0);
});
setInterval(() => undefined, 60_000); // Runs until it is ended, witness or not.
if (witness !== undefined && witness !== '') count(witness);

/** Reads the stored value, then writes the next ones until the socket ends; then begins anew. */
function count(path: string): void {
  const socket = createConnection(path);
  let rest = '';
  socket.setEncoding('utf8');
  socket.once('connect', () => socket.write(`${JSON.stringify({ hello })}\n`));
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) writeNext(line);
  });
  socket.on('error', () => undefined);
  socket.once('close', () => setTimeout(count, RECONNECT_MS, path));

  function writeNext(line: string): void {
    const answer = JSON.parse(line) as { value?: number; ack?: number };
    const stored = answer.value ?? answer.ack ?? 0;
    setTimeout(() => socket.write(`${JSON.stringify({ write: stored + 1 })}\n`), WRITE_EVERY_MS);
  }
}
