/** The web console beside the API: its version is always the API's, and whoever may not ask the API does not get it either. */
import { type ConsoleFiles, fileAnswer, SECURITY_HEADERS } from '../../adapters/node/console-files.ts';
import { HaError } from '../../core/failures/failures.ts';
import { type HttpAnswer, type HttpEvent, MethodRefused } from './http.ts';

const ALLOW = 'GET, HEAD, OPTIONS';

/** `read` is asked once; a failure is tried again by the next request. */
export function consoleOf(read: (() => Promise<ConsoleFiles>) | undefined): (event: HttpEvent) => Promise<HttpAnswer> {
  let files: ConsoleFiles | undefined;
  return async ({ rawPath: path, headers: asked, requestContext: { http } }) => {
    if (read === undefined) throw new HaError('not_found', `there is nothing at ${path.slice(0, 200)}`);
    if (http.method === 'OPTIONS') return { statusCode: 204, headers: { ...SECURITY_HEADERS, allow: ALLOW }, body: '' };
    if (http.method !== 'GET' && http.method !== 'HEAD')
      throw new MethodRefused(path.slice(0, 200), http.method.slice(0, 20), ALLOW);
    files ??= await read();
    const request = { method: http.method, path, ifNoneMatch: asked['if-none-match'] };
    const { status, headers, body } = fileAnswer(files, request);
    const isText = /^text\/|json|svg/.test(headers['content-type'] ?? 'text/');
    return {
      statusCode: status,
      headers: { ...SECURITY_HEADERS, ...headers },
      body: body.toString(isText ? 'utf8' : 'base64'),
      ...(isText ? {} : { isBase64Encoded: true }),
    };
  };
}
