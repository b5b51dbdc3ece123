/** An operator at the API: each act is one request, and what is refused is an answer too. */
import * as z from 'zod';
import { unreachable } from '../../core/failures/invariant.ts';
import type { ApiAnswer } from '../contract/operator.ts';
import type { OperatorAct } from '../contract/scene.ts';
import type { Stage } from '../contract/stage.ts';
import type { Outcome } from './environment.ts';

interface Request {
  readonly path: string;
  readonly body: string;
}

const HttpAnswer = z.looseObject({ statusCode: z.int(), body: z.string() });
/** What tells the answers apart: a run, a revision, a plan, or a problem document. */
const Body = z.looseObject({
  run: z.string().nullish(),
  rev: z.number().optional(),
  code: z.string().optional(),
  detail: z.string().optional(),
  plan: z.array(z.string()).optional(),
});

const BY = 'operator';

export async function operate(
  stage: Stage,
  cluster: string,
  act: OperatorAct,
  invokeApi: (event: object) => Promise<Outcome>,
): Promise<ApiAnswer> {
  const { path, body } = requestOf(cluster, act);
  const [rawPath = '', rawQueryString = ''] = path.split('?');
  const requestContext = { http: { method: 'POST' }, by: BY };
  const answer = answerOf(await invokeApi({ rawPath, rawQueryString, body, requestContext }));
  stage.tell({ type: 'operator', says: inWords(act), outcome: `${answer.status}: ${answer.says}` });
  return answer;
}

function requestOf(cluster: string, act: OperatorAct): Request {
  const query = `?cluster=${encodeURIComponent(cluster)}`;
  switch (act.do) {
    case 'apply':
      return { path: '/api/v1/definition', body: act.yaml };
    case 'move': {
      const [group = '', slot] = act.where.split('/');
      const body = { slot: Number(slot), ...(act.to === null ? {} : { to: act.to }) };
      return { path: `/api/v1/groups/${encodeURIComponent(group)}/move${query}`, body: JSON.stringify(body) };
    }
    case 'host': {
      // A fence asks for the name typed again.
      const body = { reason: 'simulated', ...(act.verb === 'fence' ? { confirm: act.host } : {}) };
      const path = `/api/v1/hosts/${encodeURIComponent(act.host)}/${encodeURIComponent(act.verb)}${query}`;
      return { path, body: JSON.stringify(body) };
    }
    case 'switch':
      return {
        path: `/api/v1/switch${query}`,
        body: JSON.stringify({ haEnabled: act.isOn, reason: 'simulated' }),
      };
    default:
      return unreachable(act);
  }
}

/** API Gateway's own answers where the function has none. */
function answerOf(outcome: Outcome): ApiAnswer {
  if (!outcome.ok) return { status: /timed out/.test(outcome.cause) ? 504 : 502, says: outcome.cause };
  const answer = HttpAnswer.parse(JSON.parse(outcome.text));
  return { status: answer.statusCode, says: bodyInWords(answer.body) };
}

function bodyInWords(text: string): string {
  const body = Body.safeParse(JSON.parse(text));
  if (!body.success) return text.slice(0, 200);
  const { run, rev, code, detail, plan } = body.data;
  if (code !== undefined) return `${code}: ${detail ?? ''}`;
  if (typeof run === 'string') return `run ${run}`;
  if (rev !== undefined) return `definition ${rev}`;
  return plan?.join('; ') ?? 'done';
}

function inWords(act: OperatorAct): string {
  switch (act.do) {
    case 'apply':
      return 'applies a definition';
    case 'move':
      return `moves ${act.where} ${act.to === null ? 'away' : `to ${act.to}`}`;
    case 'host':
      return `${act.verb} ${act.host}`;
    case 'switch':
      return `switches high availability ${act.isOn ? 'on' : 'off'}`;
    default:
      return unreachable(act);
  }
}
