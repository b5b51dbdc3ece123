/** What the world saw break in the system under test: a broken `invariant`, or a rejection that nobody awaits. */
import type { Told } from '../contract/truth.ts';
import { seconds, Watching } from './watching.ts';

export class Bugs extends Watching {
  readonly invariant = 'bug';

  protected judge(fact: Told): void {
    if (fact.type === 'bug') this.violate(fact.at, `at ${seconds(fact.at)} ${fact.who}: ${fact.says}`);
  }
}
