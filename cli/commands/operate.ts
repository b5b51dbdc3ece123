/** Verbs of operators: the API plans them, the plan and what speaks against it are shown, and only then are they done. */
import { HaError } from '../../core/failures/failures.ts';
import type { HostVerb, PlanView } from '../../core/protocol/views.ts';
import { EXIT } from '../exit.ts';
import { doneText, objectionsText, planText } from '../text/plan.ts';
import { answer, asked, confirmed, type Context } from './context.ts';

export interface OperateOptions {
  readonly reason?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly force?: boolean | undefined;
}

interface Deed {
  /** As in "Plan to …". */
  readonly what: string;
  /** It stops, moves or fences something, or keeps that from happening when it must. */
  readonly isDestructive: boolean;
  readonly preview: () => Promise<PlanView>;
  readonly perform: () => Promise<PlanView>;
  /** True when the operator says so. */
  readonly consent: () => Promise<boolean>;
}

const IS_DESTRUCTIVE: Readonly<Record<HostVerb, boolean>> = {
  enable: false,
  unlock: false,
  disable: false,
  lock: true,
  maintenance: true,
  drain: true,
  fence: true,
};

/** Whoever finds the host so must be able to read why; the API refuses these without a reason. */
const NEEDS_REASON: readonly HostVerb[] = ['disable', 'lock', 'maintenance'];

export async function operateHost(
  context: Context,
  verb: HostVerb,
  host: string,
  options: OperateOptions,
): Promise<number> {
  const client = await context.client();
  const reason = options.reason ?? (NEEDS_REASON.includes(verb) ? await reasonFor(context, verb, host) : undefined);
  const request = { reason, force: options.force };
  return act(context, options, {
    what: verb === 'maintenance' ? `put ${host} into maintenance` : `${verb} ${host}`,
    isDestructive: IS_DESTRUCTIVE[verb],
    preview: () => client.hostVerb(host, verb, { ...request, dryRun: true }),
    perform: () => client.hostVerb(host, verb, { ...request, ...(verb === 'fence' ? { confirm: host } : {}) }),
    consent: () =>
      verb === 'fence'
        ? typedName(context, host, options.yes === true)
        : confirmed(context, 'Do this?', options.yes === true),
  });
}

export async function operateSwitch(context: Context, haEnabled: boolean, options: OperateOptions): Promise<number> {
  const client = await context.client();
  const request = { haEnabled, reason: options.reason };
  return act(context, options, {
    what: `switch HA ${haEnabled ? 'on' : 'off'}`,
    isDestructive: !haEnabled,
    preview: () => client.setSwitch({ ...request, dryRun: true }),
    perform: () => client.setSwitch(request),
    consent: () => confirmed(context, 'Do this?', options.yes === true),
  });
}

async function reasonFor(context: Context, verb: HostVerb, host: string): Promise<string> {
  const { io, json } = context;
  const text = io.isInteractive && !json ? await asked(context, `Why ${verb} ${host}? `) : '';
  if (text !== '') return text;
  throw new HaError('config_invalid', `${verb} needs a reason, for whoever finds ${host} so: add --reason TEXT`);
}

async function typedName(context: Context, host: string, yes: boolean): Promise<boolean> {
  return yes || (await asked(context, `Type the name of the host to power it off: `)) === host;
}

async function act(context: Context, { dryRun, force }: OperateOptions, deed: Deed): Promise<number> {
  if (dryRun === true || deed.isDestructive) {
    const preview = await deed.preview();
    if (dryRun === true) {
      answer(context, preview, () => [...planText(deed.what, preview), 'Nothing was changed.']);
      return 0;
    }
    if (!context.json) context.io.out(`${planText(deed.what, preview).join('\n')}\n`);
    if (preview.objections.length > 0 && force !== true) throw refusedBy(context, preview);
    if (!(await deed.consent())) {
      context.io.out('Nothing was changed.\n');
      return EXIT.no;
    }
  }
  const done = await deed.perform();
  answer(context, done, () => doneText(done));
  return 0;
}

function refusedBy({ json }: Context, { objections }: PlanView): HaError {
  // In text they stand right above.
  const which = json ? `: ${objectionsText(objections)}` : '';
  const count = objections.length === 1 ? 'one thing speaks' : `${objections.length} things speak`;
  return new HaError('conflict', `${count} against it${which}; mend that, or add --force to do it although`);
}
