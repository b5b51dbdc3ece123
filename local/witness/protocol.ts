/**
 * What services and the harness say to the witness: JSON lines over a unix socket.
 *
 * The witness stands for the disk of a service and for an impartial observer: an open socket is a running service.
 */
import * as z from 'zod';

const count = z.int().nonnegative();

/** `slot` is `<cluster>/<group>/<slot>`. */
export const Hello = z.strictObject({
  slot: z.string().min(1),
  service: z.string().min(1),
  epoch: count,
  host: z.string(),
  pid: count,
});
export type Hello = z.infer<typeof Hello>;

export const WitnessRequest = z.union([
  /** Answered by `{value}`, the last value acknowledged for that slot's service. */
  z.strictObject({ hello: Hello }),
  /** Blind: whoever writes last wins, so that two writers show as values that do not rise. Answered by `{ack}`. */
  z.strictObject({ write: count }),
  /** A moment of the experiment, kept in the log. Answered by `{marked}` (µs) once the log up to it is on file. */
  z.strictObject({ mark: z.string().min(1) }),
]);
export type WitnessRequest = z.infer<typeof WitnessRequest>;

const base = { t: count.describe('µs on the witness clock'), c: count.describe('connection') };

/** One line of the log, in the order in which things happened at the witness. */
export const WitnessEntry = z.discriminatedUnion('e', [
  z.strictObject({ ...base, e: z.literal('open') }),
  z.strictObject({ ...base, e: z.literal('hello'), ...Hello.shape }),
  z.strictObject({ ...base, e: z.literal('write'), slot: z.string(), service: z.string(), value: count, epoch: count }),
  z.strictObject({ ...base, e: z.literal('ack'), value: count }),
  z.strictObject({ ...base, e: z.literal('mark'), mark: z.string() }),
  z.strictObject({ ...base, e: z.literal('close') }),
]);
export type WitnessEntry = z.infer<typeof WitnessEntry>;

/** Splits a stream of bytes into lines; a line longer than the limit is an error of the sender. */
export function lineSplitter(onLine: (line: string) => void, bytesMax = 4_096): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > bytesMax) throw new Error(`a line is longer than ${String(bytesMax)} bytes`);
    for (const line of lines) if (line !== '') onLine(line);
  };
}
