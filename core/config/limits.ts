/** Limits of one definition. Beyond them a fleet is split into clusters. */
export const DEFINITION_LIMITS = {
  /** Text of one definition, all files together; refused before it is parsed. */
  inputBytes: 1_000_000,
  /** YAML documents in one definition. */
  documents: 100,
  /** Uses of an anchor, multiplied out, before the text counts as an attack. */
  aliases: 50,
  hosts: 500,
  groups: 1000,
  servicesPerGroup: 32,
  /** Problems reported at once. */
  problems: 100,
  labelsPerHost: 50,
  paramsPerService: 100,
  commandWords: 100,
  pathsPerHost: 3,
  /** Active or standby places of one group. */
  places: 500,
  /** `ha.<host>.<session>.<sequence>.<attempt>` must fit the 80 characters of an execution's name. */
  hostName: 27,
  groupName: 24,
  serviceName: 31,
  clusterName: 30,
} as const;
