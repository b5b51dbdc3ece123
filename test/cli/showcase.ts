/**
 * The API whose answers docs/operating/cli.md shows: views of a real local system (`npm start`) a minute after its host h1
 * was cut off, as they were answered then; facts of steps that no surface shows are left out.
 */
import { readFile } from 'node:fs/promises';
import { readDefinition } from '../../adapters/node/definition-file.ts';
import type {
  DoctorView,
  EventsView,
  MoveView,
  PlanView,
  RunStoryView,
  RunsView,
  SimulateView,
  StatusView,
  WhyView,
} from '../../core/protocol/views.ts';
import { serve, type Api, type Asked, type Reply } from './stage.ts';

interface Captured {
  readonly status: StatusView;
  readonly runs: RunsView;
  readonly story: RunStoryView;
  readonly events: EventsView;
  readonly simulated: SimulateView;
  readonly why: WhyView;
  readonly doctor: DoctorView;
  readonly moved: MoveView;
  readonly switchedOff: PlanView;
  /** Plans of verbs about hosts. */
  readonly plans: Readonly<Record<string, PlanView>>;
}

const captured = JSON.parse(await readFile('test/cli/showcase.json', 'utf8')) as Captured;

export const NOW_MS = captured.status.atMs;

const STARTED = 'move.demo.ledger.0.e2.1';

export async function showcase(): Promise<Api> {
  const read = readDefinition([{ content: await readFile('local/samples/cluster.yaml') }]);
  const diff = { rev: 2, changed: true, warnings: [], diff: ['group web: removed'] };
  const fixed: Readonly<Record<string, unknown>> = {
    '/api/v1/status': captured.status,
    '/api/v1/definition': { rev: 1, definition: read.ok ? read.definition : null },
    '/api/v1/runs?limit=20': captured.runs,
    [`/api/v1/runs/${captured.story.run.run}`]: captured.story,
    '/api/v1/events?limit=20': captured.events,
    '/api/v1/simulate': captured.simulated,
    '/api/v1/groups/ledger/slots/0/why': captured.why,
    '/api/v1/doctor': captured.doctor,
    '/api/v1/switch': captured.switchedOff,
  };
  return serve(({ url, method, body }: Asked): Reply => {
    if (method === 'POST' && url.startsWith('/api/v1/definition')) return { body: diff };
    const isDry = method === 'POST' && (JSON.parse(body) as { dryRun?: boolean }).dryRun === true;
    if (url.endsWith('/move')) return { body: { ...captured.moved, run: isDry ? null : STARTED } };
    const verb = /^\/api\/v1\/hosts\/[^/]+\/(\w+)$/.exec(url)?.[1];
    if (verb === undefined) return { body: fixed[url] };
    const runs = isDry || verb !== 'drain' ? [] : [STARTED];
    return { body: { ...captured.plans[verb], runs } };
  });
}
