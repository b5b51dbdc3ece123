/**
 * What makes a host of a Linux machine, as a shell script: the facts that only a person knows go into
 * /etc/holdfast/host.yaml, the package is fetched and installed. Run any number of times, by user data or by Systems
 * Manager. Below DESTDIR, if that is set.
 */

export interface HostFacts {
  readonly cluster: string;
  /** Its name in the definition. */
  readonly host: string;
  /** Output HeartbeatsTable of the state stack. */
  readonly heartbeatsTable: string;
  /** Output RegistryTable of the state stack. */
  readonly registryTable: string;
  /** Default: `init`. */
  readonly watchdog?: 'init' | 'device' | 'none' | undefined;
  /** Default: /var/lib/holdfast. */
  readonly stateDir?: string | undefined;
}

/** Until the instance profile is there for everybody, and the network. */
const TRIES = 12;
const PAUSE_S = 10;

/**
 * `fetchUrl` is a command that prints the package's s3:// address: user data must not hold the address itself, which
 * changes with every version, because CloudFormation stops and starts an instance whose user data changes.
 */
export function installScript(facts: HostFacts, fetchUrl: string, options: readonly string[] = []): string[] {
  return [
    '(',
    'set -eu',
    'root=${DESTDIR:-}',
    'mkdir -p "$root/etc/holdfast"',
    'chmod 0700 "$root/etc/holdfast"',
    // Quoted: nothing in it is for the shell.
    `cat >"$root/etc/holdfast/host.yaml.new" <<'END_OF_HOST_FILE'`,
    ...hostFile(facts),
    'END_OF_HOST_FILE',
    'chmod 0600 "$root/etc/holdfast/host.yaml.new"',
    'mv -f "$root/etc/holdfast/host.yaml.new" "$root/etc/holdfast/host.yaml"',
    'command -v aws >/dev/null || dnf install -y awscli-2 || { apt-get update -q && apt-get install -y -q awscli; } || snap install aws-cli --classic',
    'work=$(mktemp -d)',
    `trap 'rm -rf "$work"' EXIT`,
    'tries=0',
    `until url=$(${fetchUrl}) && aws s3 cp --only-show-errors "$url" "$work/agent.tgz"; do`,
    '  tries=$((tries + 1))',
    `  [ "$tries" -lt ${TRIES} ] || exit 1`,
    `  sleep ${PAUSE_S}`,
    'done',
    'tar -xzf "$work/agent.tgz" -C "$work"',
    ['"$work/install.sh"', ...options].join(' '),
    ')',
  ];
}

/** Values are JSON, which is YAML as well: whatever is in a name stays in the name. */
export function hostFile(facts: HostFacts): string[] {
  const { cluster, host, heartbeatsTable, registryTable, watchdog, stateDir } = facts;
  const line = (key: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${key}: ${JSON.stringify(value)}`];
  return [
    ...line('cluster', cluster),
    ...line('host', host),
    'tables:',
    ...line('  heartbeats', heartbeatsTable),
    ...line('  registry', registryTable),
    ...line('watchdog', watchdog),
    ...line('stateDir', stateDir),
  ];
}
