/** `simulate`, `why` and `doctor`. */
import type { DoctorCheck, DoctorView, HypotheticalChange, SimulateView, WhyView } from '../../core/protocol/views.ts';
import { type Cell, paragraph, table, wrap, WIDTH } from './table.ts';
import { clean, type Paint, plain, span, type Tone, toneOf } from './words.ts';

/** As given on the command line, in its order; a definition is read when the command runs. */
export type AskedChange =
  Exclude<HypotheticalChange, { readonly change: 'definition' }> | { readonly change: 'file'; readonly file: string };

function supposed(change: AskedChange): string {
  switch (change.change) {
    case 'host-down':
      return `${change.host} goes down`;
    case 'file':
      return `${change.file} is applied`;
    case 'host-added': {
      const { name, zone, labels = {}, capacity = {} } = change.host;
      const facts = [
        ...(zone === undefined ? [] : [`zone ${zone}`]),
        ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
        ...(capacity.cpu === undefined ? [] : [`${capacity.cpu} cpu`]),
        ...(capacity.memoryMb === undefined ? [] : [`${capacity.memoryMb} MB`]),
      ];
      return `${name} is added${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
    }
  }
}

export function simulateText(asked: readonly AskedChange[], view: SimulateView, paint: Paint = plain): string[] {
  const rows = view.slots.map(({ group, slot, from, to, why }): Cell[] => [
    `${group}/${slot}`,
    from ?? '-',
    to ?? { text: 'nowhere', tone: 'bad' },
    why,
  ]);
  const health = view.health.filter(({ before, after }) => before !== after);
  const { recoveryMs, outageMs } = view.bound;
  return [
    ...paragraph(`If ${asked.map(supposed).join(', then ')}:`),
    ...view.says.flatMap((text) => paragraph(text, 2)),
    '',
    ...(rows.length === 0 ? ['No slot would move.'] : table(['SLOT', 'FROM', 'TO', 'WHY'], rows, { paint })),
    `${view.unchanged} ${view.unchanged === 1 ? 'slot stays' : 'slots stay'} where ${view.unchanged === 1 ? 'it is' : 'they are'}.`,
    ...health.map(({ group, before, after }) => {
      return `Group ${clean(group)}: ${clean(before)}, then ${paint(clean(after), toneOf(after))}.`;
    }),
    ...paragraph(`Recovers within ${span(recoveryMs)}; survives ${span(outageMs)} without AWS.`),
    'Nothing was changed.',
  ];
}

const VERDICTS: Readonly<Record<string, Cell>> = {
  owner: { text: 'owner', tone: 'good' },
  next: { text: 'next', tone: 'strong' },
  possible: 'possible',
  dropped: { text: 'cannot', tone: 'warn' },
};

export function whyText(view: WhyView, paint: Paint = plain): string[] {
  const next = view.hosts.find(({ verdict }) => verdict === 'next')?.host;
  const then =
    next === undefined ? 'If that ended now, no host could take it' : `Would go to ${next} if that ended now`;
  const heading =
    view.owner === null
      ? next === undefined
        ? 'runs nowhere, and no host can take it now'
        : `runs nowhere; ${next} would take it now`
      : `belongs to ${view.owner}. ${then}`;
  const rows = view.hosts.map(({ host, verdict, why, change, scores }): Cell[] => [
    host,
    VERDICTS[verdict] ?? verdict,
    `${why}${scoresText(scores)}${change === null ? '' : `; to change this: ${change}`}`,
  ]);
  return [
    ...paragraph(`${view.group}/${view.slot} ${heading}.`),
    '',
    ...table(['HOST', 'VERDICT', 'WHY'], rows, { paint }),
  ];
}

function scoresText(scores: Readonly<Record<string, number>> | null): string {
  const parts = Object.entries(scores ?? {}).flatMap(([part, score]) => (score === 0 ? [] : [`${part} ${score}`]));
  return parts.length === 0 ? '' : ` [${parts.join(', ')}]`;
}

const WORST_FIRST: readonly DoctorCheck['verdict'][] = ['fail', 'warn', 'ok'];
const TONES: Readonly<Record<DoctorCheck['verdict'], Tone>> = { fail: 'bad', warn: 'warn', ok: 'good' };

const VERDICT_WIDTH = 6;

export function doctorText(
  { checks }: DoctorView,
  { all }: { readonly all: boolean } = { all: false },
  paint: Paint = plain,
): string[] {
  const of = (verdict: DoctorCheck['verdict']) => checks.filter((check) => check.verdict === verdict);
  const [failed, warned, fine] = WORST_FIRST.map((verdict) => of(verdict));
  const shown = [...(failed ?? []), ...(warned ?? []), ...(all ? (fine ?? []) : [])];
  const count = (n: number, one: string) => `${n} ${n === 1 ? one : `${one}s`}`;
  const sum = `${count(failed?.length ?? 0, 'failure')}, ${count(warned?.length ?? 0, 'warning')}, ${fine?.length ?? 0} fine`;
  const end =
    shown.length === 0 && (fine?.length ?? 0) > 0
      ? `Nothing found that would break a failover (${sum}; --all shows what was looked at).`
      : `${sum}${all ? '' : ' (--all shows these too)'}.`;
  return [...shown.flatMap((check) => checkLines(check, paint)), ...(shown.length > 0 ? [''] : []), end];
}

function checkLines({ id, verdict, subject, says, change }: DoctorCheck, paint: Paint): string[] {
  const margin = ' '.repeat(VERDICT_WIDTH);
  const body = (text: string) => wrap(clean(text), WIDTH - VERDICT_WIDTH).map((line) => `${margin}${line}`);
  const head = paint(clean(verdict), TONES[verdict]) + ' '.repeat(Math.max(1, VERDICT_WIDTH - verdict.length));
  return [
    `${head}${paint(clean(subject), 'strong')} ${paint(`(${clean(id)})`, 'faint')}`,
    ...body(says),
    ...(change === null ? [] : body(`Do: ${change}.`)),
  ];
}
