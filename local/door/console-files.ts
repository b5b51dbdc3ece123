/** The console at the front door: the files that were built at the start. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ConsoleFiles, fileAnswer } from '../../adapters/node/console-files.ts';

export { type ConsoleFiles, readConsoleFiles } from '../../adapters/node/console-files.ts';

export function serveConsole(
  files: ConsoleFiles,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void {
  const { status, headers, body } = fileAnswer(files, {
    method: request.method ?? '',
    path,
    ifNoneMatch: request.headers['if-none-match'],
  });
  response.writeHead(
    status,
    status === 200 && request.method === 'GET' ? { ...headers, 'content-length': body.length } : headers,
  );
  response.end(body);
}
