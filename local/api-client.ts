/** The runtime's own questions to the API of its control plane. */
import type * as z from 'zod';
import { slotCount } from '../core/config/model.ts';
import type { Definition, GroupDefinition } from '../core/config/model.ts';
import { HaError, messageOf } from '../core/failures/failures.ts';
import { moveView, runStoryView, runsView, statusView } from '../core/protocol/view-schemas.ts';
import type { MoveView, RunStoryView, RunsView, StatusView } from '../core/protocol/views.ts';

const ANSWER_MS = 5_000;

export interface ApiClient {
  status(): Promise<StatusView>;
  runs(): Promise<RunsView>;
  run(id: string): Promise<RunStoryView>;
  move(group: string, slot: number): Promise<MoveView>;
}

export function apiClient(api: { url: string; token: string }): ApiClient {
  const ask = <T>(schema: z.ZodType<T>, path: string, init: RequestInit = {}): Promise<T> =>
    request(api, { schema, path, init });
  return {
    status: () => ask(statusView, '/api/v1/status'),
    runs: () => ask(runsView, '/api/v1/runs'),
    run: (id) => ask(runStoryView, `/api/v1/runs/${encodeURIComponent(id)}`),
    move: (group, slot) =>
      ask(moveView, `/api/v1/groups/${encodeURIComponent(group)}/move`, {
        method: 'POST',
        body: JSON.stringify({ slot }),
      }),
  };
}

async function request<T>(
  api: { url: string; token: string },
  question: { schema: z.ZodType<T>; path: string; init: RequestInit },
): Promise<T> {
  const headers = { authorization: `Bearer ${api.token}`, 'content-type': 'application/json' };
  let response: Response;
  let text: string;
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    response = await fetch(`${api.url}${question.path}`, { ...question.init, headers, signal });
    text = await response.text();
  } catch (error) {
    throw new HaError('store_unavailable', `the API at ${api.url} does not answer: ${messageOf(error)}`);
  }
  if (!response.ok)
    throw new HaError('conflict', `${question.path}: HTTP ${String(response.status)} ${text.slice(0, 500)}`);
  return question.schema.parse(JSON.parse(text));
}

/** What is not up yet, in words; none: every host is Up, every slot Active, every standby in its place. */
export function missingFrom(status: StatusView, definition: Definition): string[] {
  const hosts = definition.hosts.map(({ name }) => {
    const now = status.hosts.find((host) => host.name === name)?.status ?? 'unknown';
    return now === 'Up' ? [] : [`host ${name} is ${now}`];
  });
  return [...hosts, ...definition.groups.map((group) => missingPlaces(status, group))].flat();
}

function missingPlaces(status: StatusView, group: GroupDefinition): string[] {
  const view = status.groups.find(({ name }) => name === group.name);
  const slots = Array.from({ length: slotCount(group) }, (_, slot) => {
    const now = view?.slots.find((each) => each.slot === slot)?.phase ?? 'unknown';
    return now === 'Active' ? [] : [`${group.name}/${String(slot)} is ${now}`];
  });
  const wanted = group.redundancy.model === 'n-plus-m' ? group.redundancy.standby : 0;
  const standbys = view?.standbys.length ?? 0;
  const lacking = standbys < wanted ? [`${group.name} has ${String(standbys)} of ${String(wanted)} standbys`] : [];
  return [...slots.flat(), ...lacking];
}
