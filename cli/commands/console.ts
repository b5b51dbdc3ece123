/** `holdfast console`: serves the console on this machine until Ctrl-C. */
import { once } from 'node:events';
import { send, succeeded } from '../../adapters/node/api-request.ts';
import { HaError } from '../../core/failures/failures.ts';
import { startConsoleProxy } from '../console/proxy.ts';
import type { Context } from './context.ts';

/** Refused credentials, and an API without a console, are told here and not by an empty page. */
export async function openConsole(context: Context, port: number): Promise<number> {
  const { io, json } = context;
  const address = await context.address();
  const page = await send(address, { method: 'GET', path: '/' });
  if (page.status === 404 && page.refusal === undefined)
    throw new HaError('not_found', `the API at ${address.url} serves no console`);
  succeeded(page);
  const proxy = await startConsoleProxy({ address, port, log: (text) => io.err(`${text}\n`) });
  try {
    if (json) io.out(`${JSON.stringify({ url: proxy.url, api: address.url })}\n`);
    else
      io.out(
        `The console of ${address.url}:\n  ${proxy.url}\nWhoever has this address acts in your name. Ctrl-C ends it.\n`,
      );
    if (!io.stopped.aborted) await once(io.stopped, 'abort');
    return 0;
  } finally {
    await proxy.close();
  }
}
