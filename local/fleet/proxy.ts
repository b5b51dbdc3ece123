/**
 * A host's only way to its AWS endpoints: a TCP proxy that can turn into a black hole. Cut off is not refused: what is
 * sent vanishes, nothing is answered, nothing is closed, as when a network swallows packets.
 */
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

const CONNECTIONS_MAX = 256;

export interface HostProxy {
  readonly port: number;
  /** From now on data of either side is swallowed. */
  cut(): void;
  /** Connections that lost data, or were made during the cut, are destroyed, so that clients connect anew. */
  heal(): void;
  readonly isCut: boolean;
  close(): Promise<void>;
}

interface Link {
  readonly near: Socket;
  /** Towards the endpoint; none if the connection was made during a cut. */
  readonly far: Socket | undefined;
  isBroken: boolean;
}

export async function startProxy(target: { port: number; host?: string }): Promise<HostProxy> {
  const links = new Set<Link>();
  let isCut = false;
  const server = createServer((near) => {
    const far = isCut ? undefined : createConnection(target.port, target.host ?? '127.0.0.1');
    const link: Link = { near, far, isBroken: isCut };
    links.add(link);
    near.setNoDelay(true);
    join(link, 'near');
    join(link, 'far');
    near.once('close', () => links.delete(link));
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server.address()),
    get isCut() {
      return isCut;
    },
    cut() {
      isCut = true;
    },
    heal() {
      isCut = false;
      for (const link of links) if (link.isBroken) destroy(link);
    },
    async close() {
      server.close();
      for (const link of links) destroy(link);
      await once(server, 'close');
    },
  };

  /** Passes on what arrives at one end; during a cut it is read and dropped. */
  function join(link: Link, from: 'near' | 'far'): void {
    const source = link[from];
    const sink = from === 'near' ? link.far : link.near;
    source?.on('data', (chunk: Buffer) => {
      if (isCut) link.isBroken = true;
      else if (!link.isBroken && sink?.write(chunk) === false) waitForDrain(source, sink);
    });
    source?.on('error', () => undefined); // Followed by close.
    source?.on('close', () => {
      if (from === 'near') link.far?.destroy();
      else if (isCut)
        link.isBroken = true; // The end does not come through either.
      else link.near.destroy();
    });
  }
}

function waitForDrain(source: Socket, sink: Socket): void {
  source.pause();
  sink.once('drain', () => source.resume());
}

function destroy(link: Link): void {
  link.near.destroy();
  link.far?.destroy();
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return address.port;
}
