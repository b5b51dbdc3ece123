/** Seeded randomness. Each part draws from a stream of its own, so that leaving out one fault changes no other draw. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { invariant } from '../../core/failures/invariant.ts';

const GRAIN = 2 ** 30;

export class Random {
  readonly #seed: number;
  readonly #generator: RandomGenerator;

  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#generator = xoroshiro128plus(this.#seed);
  }

  /** A stream that depends on this one's seed and on `name`, not on what was drawn so far. */
  fork(name: string): Random {
    return new Random(fnv1a(`${this.#seed} ${name}`));
  }

  /** Whole, both ends included. */
  int(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return this.int(0, GRAIN - 1) / GRAIN;
  }

  between(from: number, to: number): number {
    return from + (to - from) * this.fraction();
  }

  /** True in `part` of all cases; 0: never. */
  chance(part: number): boolean {
    return this.fraction() < part;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.int(0, list.length - 1)];
    invariant(picked !== undefined, 'nothing to pick from');
    return picked;
  }

  /** Of entries with weights above 0. */
  weighted<T>(entries: readonly (readonly [T, number])[]): T {
    let left = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of entries) {
      left -= weight;
      if (left < 0) return value;
    }
    return this.pick(entries)[0];
  }

  shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list];
    return list.map(() => {
      const [taken] = rest.splice(this.int(0, rest.length - 1), 1);
      invariant(taken !== undefined, 'one is left for each place');
      return taken;
    });
  }

  /** In the form of a uuid v4. */
  uuid(): string {
    const hex = (digits: number): string => Array.from({ length: digits }, () => this.int(0, 15).toString(16)).join('');
    return `${hex(8)}-${hex(4)}-4${hex(3)}-${this.pick(['8', '9', 'a', 'b'])}${hex(3)}-${hex(12)}`;
  }
}

/** A seed from a text (Fowler, Noll and Vo's hash, 32 bits): equal texts, equal streams, on every machine. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash | 0;
}
