/** Tells the author of a definition what is wrong, and where inside the field. Never leaves core/workflow. */
export class DefinitionError extends Error {
  readonly at: readonly (string | number)[];
  readonly value: unknown;
  constructor(at: readonly (string | number)[], value: unknown, message: string) {
    super(message);
    this.at = at;
    this.value = value;
  }
}
