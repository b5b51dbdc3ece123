/** Runs as they are shown. A closed run never changes again, so a process that stays warm reads each of those once. */
import { HaError } from '../../core/failures/failures.ts';
import type { Registry } from '../../core/ports.ts';
import { keys, type RunRecord, type StepRecord, type Stored } from '../../core/protocol/records.ts';
import type { RunStoryView, RunsView, RunView } from '../../core/protocol/views.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { cursorOf, keyOfCursor } from './cursor.ts';

const STEPS_MAX = 2_000;
/** Runs looked through for open ones: more are not shown, and a reconcile pass closes leftovers. */
const OPEN_LOOKBACK = 200;
const READS_AT_ONCE = 32;
const CLOSED_CACHED_MAX = 5_000;

type ReadPorts = Pick<ControlPorts, 'registry'>;
type IndexEntry = Stored<{ readonly run: string }>;

/** Per store: two deployments in one process have runs of the same name. */
const closedRuns = new WeakMap<Registry, Map<string, RunView>>();

export async function openRuns(ports: ReadPorts, cluster: string): Promise<readonly RunView[]> {
  const entries = await index(ports, cluster, OPEN_LOOKBACK);
  return (await readRuns(ports, entries)).filter((run) => run.closedAtMs === null);
}

/** Newest first; the cursor is the last entry shown, so that runs opened meanwhile move nothing. */
export async function runsPage(
  ports: ReadPorts,
  cluster: string,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | undefined },
): Promise<RunsView> {
  const before = cursor === undefined ? undefined : keyOfCursor('runs', cursor);
  const entries = await index(ports, cluster, limit + 1, before);
  const page = entries.slice(0, limit);
  const last = entries.length > limit ? page.at(-1) : undefined;
  return {
    runs: await readRuns(ports, page),
    next: last === undefined ? null : cursorOf('runs', last.key.sk),
  };
}

function index(ports: ReadPorts, cluster: string, limit: number, before?: string): Promise<readonly IndexEntry[]> {
  const { pk } = keys.runIndex(cluster, 0, '');
  return ports.registry.query(pk, { limit, newestFirst: true, ...(before === undefined ? {} : { before }) });
}

/** In the order of the index; an entry whose record is not there yet or no more is left out. */
async function readRuns(ports: ReadPorts, entries: readonly IndexEntry[]): Promise<readonly RunView[]> {
  const closed = closedRuns.get(ports.registry) ?? new Map<string, RunView>();
  closedRuns.set(ports.registry, closed);
  const found: RunView[] = [];
  for (let from = 0; from < entries.length; from += READS_AT_ONCE) {
    const some = await Promise.all(
      entries.slice(from, from + READS_AT_ONCE).map(async ({ body: { run } }) => {
        const known = closed.get(run);
        if (known !== undefined) return known;
        const record = await ports.registry.get<RunRecord>(keys.run(run));
        if (record === undefined) return null;
        const view = runView(record.body);
        if (view.closedAtMs !== null) remember(closed, view);
        return view;
      }),
    );
    found.push(...some.filter((view) => view !== null));
  }
  return found;
}

function remember(closed: Map<string, RunView>, view: RunView): void {
  if (closed.size >= CLOSED_CACHED_MAX) closed.clear();
  closed.set(view.run, view);
}

function runView(record: RunRecord): RunView {
  const { run, work, host, group, slot, phase, outcome, summary, openedAtMs, closedAtMs, boundMs = null } = record;
  return { run, work, host, group, slot, phase, outcome, summary, openedAtMs, closedAtMs, boundMs };
}

export async function runStory(ports: ReadPorts, run: string): Promise<RunStoryView> {
  const [record, steps] = await Promise.all([
    ports.registry.get<RunRecord>(keys.run(run)),
    ports.registry.query<StepRecord>(keys.run(run).pk, { prefix: 'STEP#', limit: STEPS_MAX }),
  ]);
  if (record === undefined) throw new HaError('not_found', `there is no run ${run}; list them with \`holdfast runs\``);
  return {
    run: runView(record.body),
    steps: steps.map(({ body }, n) => {
      const { step, atMs, tookMs, says, facts } = body;
      return { n: n + 1, step, atMs, tookMs, says, facts };
    }),
  };
}
