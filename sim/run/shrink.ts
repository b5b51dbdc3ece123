/**
 * Makes a scene that fails as short as it finds it, so that a person has the story and not the noise around it: without
 * the faults, acts, kinds of noise, groups and hosts that it fails without, and over sooner.
 */
import { type Document, isMap, isSeq, parseDocument } from 'yaml';
import type { Millis } from '../../core/time/time.ts';
import { BACKGROUND_FAULTS, type BackgroundFault, type Noise, type ScheduledFault } from '../contract/faults.ts';
import type { LookAfter, OperatorAct, Scene } from '../contract/scene.ts';
import { smallest } from './delta.ts';

/** When the scene still violates the same invariant: the moment since its faults began. null: it does not. */
export type Reproduces = (scene: Scene) => Promise<{ readonly atMs: Millis } | null>;

export interface ShrinkLimits {
  readonly attempts: number;
  /** Asked before each attempt: has it cost enough? */
  readonly isSpent: () => boolean;
}

export interface Shrunk {
  readonly scene: Scene;
  readonly attempts: number;
  /** False: it was ended by its limits, and may be shorter still. */
  readonly isComplete: boolean;
}

const ROUNDS_MAX = 4;

/** `atMs`: when the scene as it is fails, counted as `reproduces` counts. */
export async function shrink(
  scene: Scene,
  atMs: Millis,
  reproduces: Reproduces,
  limits: ShrinkLimits,
): Promise<Shrunk> {
  const search = new Search(scene, atMs, reproduces, limits);
  // What is left out in one place often makes something else superfluous.
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = search.best;
    for (const step of [shorter, fewerFaults, fewerActs, lessNoise, fewerGroups, fewerHosts, plainHosts, briefer])
      await step(search);
    if (search.best === before) break;
  }
  return { scene: search.best, attempts: search.attempts, isComplete: !search.isOver };
}

/** The best scene so far, and the count of what was tried. */
class Search {
  best: Scene;
  /** When `best` fails. */
  atMs: Millis;
  attempts = 0;
  isOver = false;
  readonly #reproduces: Reproduces;
  readonly #limits: ShrinkLimits;
  readonly #tried = new Set<string>();

  constructor(scene: Scene, atMs: Millis, reproduces: Reproduces, limits: ShrinkLimits) {
    this.best = scene;
    this.atMs = atMs;
    this.#reproduces = reproduces;
    this.#limits = limits;
    this.#tried.add(JSON.stringify(scene));
  }

  /** Takes the candidate for the best one if it still fails. */
  async take(candidate: Scene): Promise<boolean> {
    const text = JSON.stringify(candidate);
    if (this.#tried.has(text)) return false;
    if (this.attempts >= this.#limits.attempts || this.#limits.isSpent()) this.isOver = true;
    if (this.isOver) return false;
    this.#tried.add(text);
    this.attempts += 1;
    const found = await this.#reproduces(candidate);
    if (found === null) return false;
    this.best = candidate;
    this.atMs = found.atMs;
    return true;
  }

  async #smallest<T>(list: readonly T[], put: (part: readonly T[]) => Scene): Promise<void> {
    if (list.length > 0) await smallest(list, (part) => this.take(put(part)));
  }

  reduceFaults = (): Promise<void> => this.#smallest(this.best.faults, (faults) => ({ ...this.best, faults }));
  reduceActs = (): Promise<void> => this.#smallest(this.best.acts, (acts) => ({ ...this.best, acts }));
  reduceNoise = (): Promise<void> =>
    this.#smallest(noiseKinds(this.best.noise), (kinds) => ({
      ...this.best,
      noise: onlyNoise(this.best.noise, kinds),
    }));
}

const fewerFaults = (search: Search): Promise<void> => search.reduceFaults();
const fewerActs = (search: Search): Promise<void> => search.reduceActs();
const lessNoise = (search: Search): Promise<void> => search.reduceNoise();

function noiseKinds(noise: Noise): readonly BackgroundFault[] {
  const all = Object.keys(BACKGROUND_FAULTS);
  return all.filter((kind): kind is BackgroundFault => Object.hasOwn(noise, kind));
}

function onlyNoise(noise: Noise, kinds: readonly BackgroundFault[]): Noise {
  return Object.fromEntries(kinds.flatMap((kind) => (noise[kind] === undefined ? [] : [[kind, noise[kind]]])));
}

/** Ends the faults right after the violation, or, if it shows only when all is quiet, after the last of them. */
async function shorter(search: Search): Promise<void> {
  const last = search.best.faults.reduce((end, fault) => Math.max(end, fault.at + fault.forMs), 0);
  const from = search.atMs < search.best.faultsForMs ? search.atMs : last;
  const until = Math.ceil(from / 1000 + 1) * 1000;
  if (until < search.best.faultsForMs) await search.take(cutAt(search.best, until));
}

function cutAt(scene: Scene, untilMs: Millis): Scene {
  return {
    ...scene,
    faultsForMs: Math.min(scene.faultsForMs, untilMs),
    faults: scene.faults.filter((fault) => fault.at <= untilMs),
    acts: scene.acts.filter((act) => act.at <= untilMs),
  };
}

/** A text of the definition without one of its groups or hosts, as one would edit it by hand; null: it has no other. */
function withoutNamed(yaml: string, list: 'groups' | 'hosts', name: string): string | null {
  const document = parseDocument(yaml);
  const names = namesIn(document, list);
  if (names.length < 2 || !names.includes(name)) return null;
  document.deleteIn([list, names.indexOf(name)]);
  return document.toString({ lineWidth: 0 });
}

function namesIn(document: Document.Parsed, list: 'groups' | 'hosts'): readonly string[] {
  const rows = document.get(list);
  return isSeq(rows) ? rows.items.map((row) => (isMap(row) ? String(row.get('name')) : '')) : [];
}

/** In every definition of the scene; null if the name is alone in one of them. */
function withoutEverywhere(scene: Scene, list: 'groups' | 'hosts', name: string): Scene | null {
  const yaml = withoutNamed(scene.yaml, list, name);
  if (yaml === null) return null;
  const acts = scene.acts.flatMap((act): Scene['acts'] => {
    if (act.do !== 'apply') return [act];
    const isAlone = namesIn(parseDocument(act.yaml), list).includes(name);
    const left = withoutNamed(act.yaml, list, name) ?? (isAlone ? null : act.yaml);
    return left === null ? [] : [{ ...act, yaml: left }];
  });
  return { ...scene, yaml, acts };
}

async function fewerGroups(search: Search): Promise<void> {
  for (const name of namesIn(parseDocument(search.best.yaml), 'groups')) {
    const without = withoutEverywhere(search.best, 'groups', name);
    if (without === null) continue;
    const acts = without.acts.filter((act) => act.do !== 'move' || !act.where.startsWith(`${name}/`));
    await search.take({ ...without, acts });
  }
}

async function fewerHosts(search: Search): Promise<void> {
  for (const { name } of search.best.hosts) {
    const without = withoutEverywhere(search.best, 'hosts', name);
    if (without === null) continue;
    await search.take({
      ...without,
      hosts: without.hosts.filter((host) => host.name !== name),
      faults: without.faults.filter((fault) => fault.subject !== name),
      acts: without.acts.flatMap((act) => withoutHost(act, name)),
    });
  }
}

function withoutHost(act: OperatorAct | LookAfter, host: string): Scene['acts'] {
  switch (act.do) {
    case 'host':
      return act.host === host ? [] : [act];
    case 'move':
      return act.to === host ? [] : [act];
    case 'look-after': {
      const hosts = act.hosts.filter((name) => name !== host);
      return hosts.length === 0 ? [] : [{ ...act, hosts }];
    }
    default:
      return [act];
  }
}

/** True clocks, if the story does not need wrong ones. */
async function plainHosts(search: Search): Promise<void> {
  for (const { name } of search.best.hosts) {
    const hosts = search.best.hosts.map((host) =>
      host.name === name ? { ...host, clockRate: 1, wallOffsetMs: 0 } : host,
    );
    await search.take({ ...search.best, hosts });
  }
}

/** Whole seconds and shorter lengths where they do as well: easier to tell. */
async function briefer(search: Search): Promise<void> {
  const put = (index: number, change: (fault: ScheduledFault) => ScheduledFault): Promise<boolean> => {
    const faults = search.best.faults.map((fault, at) => (at === index ? change(fault) : fault));
    return search.take({ ...search.best, faults });
  };
  for (const index of search.best.faults.keys()) {
    await put(index, (fault) => ({ ...fault, forMs: Math.min(fault.forMs, Math.ceil(fault.forMs / 2000) * 1000) }));
    await put(index, (fault) => ({ ...fault, at: Math.round(fault.at / 1000) * 1000 }));
  }
}
