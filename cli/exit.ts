/** Exit statuses beside those of the failure table (docs/operating/cli.md lists them all). */
export const EXIT = {
  /** The command worked and the answer is no: a question was declined, `diff` found changes, `doctor` a failure, `simulate` a slot without a host. */
  no: 1,
  /** A fault without a code of the table is a bug of ours; shells know it as a software error. */
  bug: 70,
} as const;
