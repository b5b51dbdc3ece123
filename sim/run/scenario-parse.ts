/**
 * Reads a scenario. One thing a line; a block (hosts, a definition) is what is indented under its line. Whatever is not
 * understood is refused with the number of its line: a scenario that means something else than it says pins nothing.
 */
import type { EvidenceKind } from '../../core/config/model.ts';
import type { Millis } from '../../core/time/time.ts';
import { BACKGROUND_FAULTS, type BackgroundFault, type Noise, type ScheduledFault } from '../contract/faults.ts';
import { type Mutation, MUTATIONS } from '../contract/mutations.ts';
import type { HostScene, LookAfter, OperatorAct, Scene } from '../contract/scene.ts';
import { EVIDENCE_KINDS, type Expectation, type Scenario, ScenarioError } from './scenario.ts';
import { parseFault, parseHost, parseNumber, parsePairs, parseTime, WordError } from './scenario-words.ts';

interface Line {
  readonly no: number;
  readonly text: string;
  /** Indented lines under it, without their indentation. */
  readonly block: readonly string[];
}

interface Draft {
  comment: string[];
  seed?: number;
  cluster?: string;
  profile?: Scene['profile'];
  faultsForMs?: Millis;
  quietForMs?: Millis;
  noise: Noise;
  mutation: Mutation | null;
  hosts: readonly HostScene[];
  yaml?: string;
  faults: ScheduledFault[];
  acts: (OperatorAct | LookAfter)[];
  expectations: Expectation[];
}

export function parseScenario(text: string): Scenario {
  const draft: Draft = { comment: [], noise: {}, mutation: null, hosts: [], faults: [], acts: [], expectations: [] };
  const lines = gather(text, draft);
  for (const line of lines) {
    try {
      readLine(draft, line);
    } catch (error) {
      if (error instanceof WordError) throw new ScenarioError(line.no, error.message);
      throw error;
    }
  }
  return finish(draft, text.split('\n').length);
}

/** Lines with what is indented under them; comments on top go to the draft, others are dropped. */
function gather(text: string, draft: Draft): readonly Line[] {
  const lines: { no: number; text: string; block: string[] }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const last = lines.at(-1);
    if (raw.startsWith('  ') || raw.trim() === '') {
      if (raw.trim() !== '' && last === undefined)
        throw new ScenarioError(index + 1, 'is indented under nothing; a block has a line above it, as in "hosts:"');
      last?.block.push(raw.slice(2));
    } else if (raw.startsWith('#')) {
      if (last === undefined) draft.comment.push(raw.replace(/^# ?/, '').trimEnd());
    } else {
      lines.push({ no: index + 1, text: raw.trimEnd(), block: [] });
    }
  }
  for (const line of lines) while (line.block.at(-1)?.trim() === '') line.block.pop();
  return lines;
}

function readLine(draft: Draft, line: Line): void {
  const [first = '', ...words] = line.text.split(/\s+/);
  if (!/^(hosts:|definition:)$/.test(line.text) && !/: apply$/.test(line.text) && line.block.length > 0)
    throw new WordError(`nothing can be indented under "${line.text}"`);
  switch (first) {
    case 'seed':
      draft.seed = parseNumber(words[0] ?? '', 'the seed');
      return;
    case 'cluster':
      draft.cluster = words[0] ?? '';
      return;
    case 'profile':
      draft.profile = profileOf(words[0] ?? '');
      return;
    case 'faults':
      readPhases(draft, line.text);
      return;
    case 'noise':
      draft.noise = noiseOf(words);
      return;
    case 'mutation':
      draft.mutation = mutationOf(words[0] ?? '');
      return;
    case 'hosts:':
      draft.hosts = line.block.filter((row) => row.trim() !== '').map((row) => parseHost(row.trim().split(/\s+/)));
      return;
    case 'definition:':
      draft.yaml = `${line.block.join('\n')}\n`;
      return;
    case 'at':
      readMoment(draft, line);
      return;
    case 'expect:':
      draft.expectations.push(parseExpectation(line.text.slice('expect:'.length).trim()));
      return;
    default:
      throw new WordError(
        `"${first}" begins no line; lines are seed, cluster, profile, faults for, noise, mutation, hosts:, definition:, at, expect:`,
      );
  }
}

function profileOf(word: string): Scene['profile'] {
  if (word === 'fast' || word === 'standard' || word === 'conservative' || word === 'demo') return word;
  throw new WordError(`profile must be fast, standard, conservative or demo, got "${word}"`);
}

function readPhases(draft: Draft, text: string): void {
  const phases = /^faults for (\S+), quiet for (\S+)$/.exec(text);
  if (phases === null) throw new WordError('write it as "faults for 60s, quiet for 120s"');
  draft.faultsForMs = parseTime(phases[1] ?? '');
  draft.quietForMs = parseTime(phases[2] ?? '');
}

function noiseOf(words: readonly string[]): Noise {
  const known = Object.keys(BACKGROUND_FAULTS);
  const noise: Partial<Record<BackgroundFault, number>> = {};
  for (const [kind, part] of Object.entries(parsePairs(words, known))) {
    const share = parseNumber(part, kind);
    if (share < 0 || share > 1) throw new WordError(`${kind} is a part of all calls, from 0 to 1, got ${part}`);
    if (isBackground(kind)) noise[kind] = share;
  }
  return noise;
}

function isBackground(kind: string): kind is BackgroundFault {
  return Object.hasOwn(BACKGROUND_FAULTS, kind);
}

function mutationOf(word: string): Mutation {
  if (isMutation(word)) return word;
  throw new WordError(`there is no mutation "${word}"; there are ${Object.keys(MUTATIONS).join(', ')}`);
}

export function isMutation(word: string): word is Mutation {
  return Object.hasOwn(MUTATIONS, word);
}

/** `at TIME [for TIME]: FAULT | ACT`. */
function readMoment(draft: Draft, line: Line): void {
  const parts = /^at (\S+?)(?: for (\S+?))?: (.+)$/.exec(line.text);
  if (parts === null) throw new WordError('write it as "at 12.5s: crash h1" or "at 12.5s for 3s: cut h1"');
  const at = parseTime(parts[1] ?? '');
  const words = (parts[3] ?? '').split(/\s+/);
  const act = actOf(at, words, line.block);
  if (act === null) {
    draft.faults.push(parseFault(at, parts[2] === undefined ? 0 : parseTime(parts[2]), words));
    return;
  }
  if (parts[2] !== undefined) throw new WordError('what an operator does has no length');
  draft.acts.push(act);
}

function actOf(at: Millis, words: readonly string[], block: readonly string[]): OperatorAct | LookAfter | null {
  const [first, subject, verb, to] = words;
  switch (first) {
    case 'apply':
      if (block.length === 0) throw new WordError('the definition to apply goes below, indented');
      return { at, do: 'apply', yaml: `${block.join('\n')}\n` };
    case 'move':
      if (subject === undefined || verb !== 'to' || to === undefined)
        throw new WordError('write it as "move GROUP/SLOT to HOST" or "... to any"');
      return { at, do: 'move', where: subject, to: to === 'any' ? null : to };
    case 'host':
      if (subject === undefined || verb === undefined) throw new WordError('write it as "host HOST VERB"');
      return { at, do: 'host', host: subject, verb };
    case 'switch':
      if (subject !== 'on' && subject !== 'off') throw new WordError('write it as "switch on" or "switch off"');
      return { at, do: 'switch', isOn: subject === 'on' };
    case 'look-after':
      if (subject === undefined) throw new WordError('write it as "look-after HOST ..."');
      return { at, do: 'look-after', hosts: words.slice(1) };
    default:
      return null;
  }
}

function parseExpectation(text: string): Expectation {
  if (text === 'no violations') return { expect: 'no violations' };
  const violation = /^violation (I\d+|bug)$/.exec(text);
  if (violation !== null) return { expect: 'violation', invariant: violation[1] ?? '' };
  const owner = /^owner of (\S+\/\d+) is (\S+)(?: by (\S+))?$/.exec(text);
  if (owner !== null) {
    const by = owner[3] === undefined ? null : evidenceOf(owner[3]);
    return { expect: 'owner', where: owner[1] ?? '', host: owner[2] ?? '', by };
  }
  const failover = /^failover of (\S+\/\d+) by (\S+)$/.exec(text);
  if (failover !== null) return { expect: 'failover', where: failover[1] ?? '', by: evidenceOf(failover[2] ?? '') };
  const none = /^no failover of (\S+\/\d+)$/.exec(text);
  if (none !== null) return { expect: 'no failover', where: none[1] ?? '' };
  if (/^page \S/.test(text)) return { expect: 'page', text: text.slice('page '.length) };
  if (/^state \S/.test(text)) return { expect: 'state', state: text.slice('state '.length) };
  throw new WordError(
    `"${text}" cannot be expected; there are: no violations; violation I2; owner of GROUP/SLOT is HOST [by EVIDENCE]; ` +
      'failover of GROUP/SLOT by EVIDENCE; no failover of GROUP/SLOT; page TEXT; state NAME',
  );
}

function evidenceOf(word: string): EvidenceKind {
  const kind = EVIDENCE_KINDS.find((known) => known === word);
  if (kind === undefined) throw new WordError(`evidence is one of ${EVIDENCE_KINDS.join(', ')}, got "${word}"`);
  return kind;
}

function finish(draft: Draft, lines: number): Scenario {
  const missing = (what: string, how: string): never => {
    throw new ScenarioError(lines, `the file ends without ${what}; add a line such as "${how}"`);
  };
  return {
    comment: draft.comment,
    mutation: draft.mutation,
    expectations: draft.expectations,
    scene: {
      seed: draft.seed ?? missing('a seed', 'seed 1'),
      profile: draft.profile ?? missing('a profile', 'profile fast'),
      cluster: draft.cluster ?? missing('a cluster', 'cluster lab'),
      yaml: draft.yaml ?? missing('a definition', 'definition:'),
      hosts: draft.hosts.length > 0 ? draft.hosts : missing('hosts', 'hosts:'),
      faultsForMs: draft.faultsForMs ?? missing('its length', 'faults for 60s, quiet for 120s'),
      quietForMs: draft.quietForMs ?? missing('its length', 'faults for 60s, quiet for 120s'),
      noise: draft.noise,
      faults: draft.faults,
      acts: draft.acts,
    },
  };
}
