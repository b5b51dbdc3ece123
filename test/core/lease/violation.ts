/** A rule is broken; the message begins with its number. */
export class Violation extends Error {}
