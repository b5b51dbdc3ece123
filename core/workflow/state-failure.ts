/** How one state failed: the error name that Retry and Catch match on, and a cause for people. Never leaves core/workflow. */
export class StateFailure extends Error {
  readonly error: string;
  constructor(error: string, cause: string) {
    super(cause);
    this.name = 'StateFailure';
    this.error = error;
  }
}
