/** The real handlers over the memory twins, with virtual time that follows the real one: what the console sees is what it would. */
import { openStream, sseText } from '../../lambdas/api/stream.ts';
import { createWorld, type World, type WorldOptions } from '../lambdas/world.ts';
import type { Behind } from './server.ts';

const STEP_MS = 100;

export interface LiveWorld {
  readonly world: World;
  readonly behind: Behind;
  /** For what changes the world: between two steps of its clock. */
  change(how: () => void): Promise<void>;
  stop(): Promise<void>;
}

export async function liveWorld(options: WorldOptions = {}): Promise<LiveWorld> {
  const world = await createWorld(options);
  await world.whole();
  await world.run(2_000);
  // One step after the other, each as long as it takes: a slow machine makes the world slower, not different.
  let isStopped = false;
  let step: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    step = step.then(() => (isStopped ? undefined : world.run(STEP_MS)));
  }, STEP_MS);
  const change = async (how: () => void): Promise<void> => {
    step = step.then(how);
    await step;
  };
  return {
    world,
    change,
    behind: behindOf(world, change),
    stop: async () => {
      clearInterval(timer);
      isStopped = true;
      await step;
    },
  };
}

function behindOf(world: World, change: LiveWorld['change']): Behind {
  const off = new Set<string>();
  return {
    http: (method, path, body) => world.http(method, path, body),
    async *stream(lastEventId, signal) {
      for await (const item of openStream(world.ports, { cluster: null, lastEventId, signal })) yield sseText(item);
    },
    local: {
      instances: () =>
        [...world.hosts].map(([host, { isCut }]) => ({ host, state: off.has(host) ? 'stopped' : 'running', isCut })),
      breakIt: (fault) => {
        const name = String(fault.host);
        void change(() => {
          if (fault.fault === 'power-off') world.host(name).die();
          if (fault.fault === 'power-on') world.host(name).boot();
          if (fault.fault === 'cut') world.host(name).isCut = true;
          if (fault.fault === 'heal') world.host(name).isCut = false;
          if (fault.fault === 'power-off') off.add(name);
          if (fault.fault === 'power-on') off.delete(name);
        });
      },
    },
  };
}
