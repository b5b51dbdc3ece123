import { createHash } from 'node:crypto';
import { HaError } from '../../core/failures/failures.ts';

const NAME_CHARS_MAX = 80;
const FILE_CHARS_MAX = 200;

/** What Step Functions forbids in the name of an execution: white space, brackets, wildcards, punctuation, control characters. */
// eslint-disable-next-line no-control-regex -- control characters are what it is about
const FORBIDDEN = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/u;

/** Throws `config_invalid` for a name that Step Functions would refuse. */
export function checkExecutionName(name: string): void {
  if (name.length < 1 || name.length > NAME_CHARS_MAX) {
    throw new HaError('config_invalid', `an execution's name must have 1 to 80 characters, got ${name.length}`);
  }
  const found = FORBIDDEN.exec(name)?.[0];
  if (found !== undefined) {
    throw new HaError('config_invalid', `an execution's name must not hold ${JSON.stringify(found)}, got "${name}"`);
  }
}

/** Readable where a file system allows it, a digest where the encoded name would be too long for one. */
export function fileNameOf(name: string): string {
  const readable = encodeURIComponent(name);
  const stem = readable.length <= FILE_CHARS_MAX ? readable : createHash('sha256').update(name).digest('hex');
  return `${stem}.json`;
}
