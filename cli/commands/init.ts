/** `init`: a first definition and settings, from options or from questions. Nothing that is there is overwritten. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readDefinition } from '../../adapters/node/definition-file.ts';
import { emailAddress, repeatedAddresses } from '../../core/config/email-address.ts';
import { problemText, shown } from '../../core/config/problem.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import { definitionSummary } from '../text/details.ts';
import { starterDefinition, starterSettings, type StarterHost, type StarterProfile } from '../text/starter.ts';
import { answer, type Context } from './context.ts';

const DEFINITION = 'cluster.yaml';
const SETTINGS = 'holdfast.yaml';
const HOSTS_ASKED_MAX = 50;

export interface InitOptions {
  readonly folder: string;
  readonly cluster: string | undefined;
  readonly hosts: readonly string[];
  readonly profile: StarterProfile;
  readonly group: string;
  readonly emails: readonly string[];
  readonly dryRun: boolean;
}

export async function init(context: Context, options: InitOptions): Promise<number> {
  refuseEmails(options.emails); // Before anybody is asked for the rest.
  const cluster = options.cluster ?? (await asked(context, 'Name of the cluster: ', '--cluster NAME'));
  const given = options.hosts.length > 0 ? options.hosts : await askedHosts(context);
  const { profile, group } = options;
  const files = {
    [DEFINITION]: starterDefinition({ cluster, profile, hosts: given.map(hostOf), group }),
    [SETTINGS]: starterSettings({ emails: options.emails, definition: DEFINITION }),
  };
  const summary = checked(files[DEFINITION] ?? '');
  if (options.dryRun) {
    answer(context, { files }, () => Object.entries(files).map(([name, text]) => `--- ${name}\n${text.trimEnd()}`));
    return 0;
  }
  const folder = resolve(context.io.directory, options.folder);
  const places = Object.keys(files).map((name) => join(folder, name));
  const taken = places.find((place) => existsSync(place));
  if (taken !== undefined) throw isThere(taken); // Before any is written.
  await makeFolder(folder);
  for (const [name, text] of Object.entries(files)) await writeNew(join(folder, name), text);
  const shownAs = Object.keys(files).map((name) => join(options.folder, name));
  answer(context, { written: Object.keys(files), folder }, () => [
    `Written: ${shownAs.join(' and ')}: ${summary}.`,
    ...nextSteps(join(options.folder, DEFINITION), join(options.folder, SETTINGS)),
  ]);
  return 0;
}

/** As they are typed where `init` was. */
function nextSteps(definition: string, settings: string): string[] {
  return [
    'Next:',
    `  edit ${DEFINITION}, then   holdfast validate ${definition}`,
    `  deploy                    npx cdk deploy --all -c holdfast=${settings}`,
    '  enrol the hosts           docs/operating/enrolment.md',
    `  save the definition       holdfast apply ${definition}`,
    '  look for what is missing  holdfast doctor',
  ];
}

/** The settings refuse the same, but not before somebody deploys them. */
function refuseEmails(emails: readonly string[]): void {
  for (const email of emails) {
    const [issue] = emailAddress.safeParse(email).error?.issues ?? [];
    if (issue !== undefined) throw new HaError('config_invalid', `--email: got ${shown(email)}; ${issue.message}`);
  }
  const [repeated] = repeatedAddresses(emails);
  if (repeated === undefined) return;
  throw new HaError('config_invalid', `--email: got ${shown(emails[repeated.index])} twice; give each address once`);
}

/** Nothing invalid is written, least of all by us. */
function checked(text: string): string {
  const read = readDefinition([{ content: text, file: DEFINITION }]);
  if (read.ok) return definitionSummary(read.definition);
  const lines = read.problems.map((problem) => `  ${problemText(problem)}`);
  throw new HaError('config_invalid', ['what was given makes no definition:', ...lines].join('\n'));
}

/** `NAME=IDENTITY[@ZONE]`. */
function hostOf(text: string): StarterHost {
  const [, name, identity, zone] = /^([^=@]+)=([^=@]+)(?:@([^=@]+))?$/.exec(text.trim()) ?? [];
  if (name !== undefined && identity !== undefined) return { name, identity, zone };
  throw new HaError(
    'config_invalid',
    `host: got ${JSON.stringify(text)}; must be NAME=INSTANCE-ID@ZONE, or NAME=CERTIFICATE off EC2, as in db-1=i-0abc12345def67890@eu-west-1a`,
  );
}

async function askedHosts(context: Context): Promise<string[]> {
  const hosts: string[] = [];
  while (hosts.length < HOSTS_ASKED_MAX) {
    const question = `Host ${hosts.length + 1}, NAME=INSTANCE-ID@ZONE${hosts.length < 2 ? '' : ' (nothing: no more)'}: `;
    const text = await asked(context, question, '--host NAME=INSTANCE-ID@ZONE, twice or more', hosts.length >= 2);
    if (text === '') break;
    hostOf(text); // Told at once, not after the last question.
    hosts.push(text);
  }
  return hosts;
}

async function asked({ io, json }: Context, question: string, option: string, mayBeEmpty = false): Promise<string> {
  if (!io.isInteractive || json) throw new HaError('config_invalid', `nobody can be asked here: add ${option}`);
  const text = (await io.ask(question)).trim();
  if (text === '' && !mayBeEmpty) throw new HaError('config_invalid', 'nothing was given; nothing is written');
  return text;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new HaError('not_found', `folder ${folder} cannot be made: ${messageOf(error)}; name another one`);
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST') throw isThere(file);
    throw new HaError('not_found', `${file} cannot be written: ${messageOf(error)}`);
  }
}

function isThere(file: string): HaError {
  return new HaError('conflict', `${file} is there already: remove it, or name another folder; nothing is overwritten`);
}
