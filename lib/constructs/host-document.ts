import { CfnAssociation, CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { AgentPackage } from './agent-package.ts';
import { HOST_PATTERN, refuseClusterName, refuseHostName } from './host-names.ts';
import { type HostFacts, installScript } from './install-script.ts';

export interface HostDocumentProps extends Omit<HostFacts, 'host'> {
  /** Instance id by the host's name in the definition. Their role has the host policy, and may read the package (`agent.grantRead`). */
  readonly hosts: Readonly<Record<string, string>>;
  /**
   * A new version of the agent takes the place of the running one at once, on one host after the other; services run on.
   * Default: false, then it does so at the next `systemctl reload holdfast`.
   */
  readonly reload?: boolean | undefined;
}

/** What association parameters may hold besides a host's name; the script has both between quotes. */
const URL_PATTERN = '^s3://[A-Za-z0-9./_-]+$';

/**
 * Installs the agent on instances that exist, by Systems Manager: a document, and for each host an association with it,
 * which is applied when it is made, and again whenever its parameters change: a new version of the agent reaches every host.
 */
export class HostDocument extends Construct {
  readonly agent: AgentPackage;

  constructor(scope: Construct, id: string, props: HostDocumentProps) {
    super(scope, id);
    refuseClusterName(this, 'cluster', props.cluster);
    for (const host of Object.keys(props.hosts)) refuseHostName(this, 'hosts', host);
    this.agent = new AgentPackage(this, 'Package');
    const document = new CfnDocument(this, 'Document', {
      documentType: 'Command',
      documentFormat: 'JSON',
      // A change is a version of the same document, which the associations stay with.
      updateMethod: 'NewVersion',
      content: contentOf(props),
    });
    for (const [host, instanceId] of Object.entries(props.hosts)) {
      new CfnAssociation(this, `Host-${host}`, {
        name: document.ref,
        associationName: `holdfast-${props.cluster}-${host}`,
        documentVersion: '$LATEST',
        targets: [{ key: 'InstanceIds', values: [instanceId] }],
        parameters: { Host: [host], Package: [this.agent.url] },
        complianceSeverity: 'HIGH',
      });
    }
  }
}

function contentOf(props: HostDocumentProps): object {
  const script = installScript(
    { ...props, host: '{{ Host }}' },
    `echo '{{ Package }}'`,
    props.reload === true ? ['--reload'] : [],
  );
  return {
    schemaVersion: '2.2',
    description: 'Holdfast: installs the agent and says which host this is',
    parameters: {
      Host: { type: 'String', description: 'Name in the definition', allowedPattern: HOST_PATTERN },
      Package: { type: 'String', description: 'Address of the package', allowedPattern: URL_PATTERN },
    },
    mainSteps: [
      {
        action: 'aws:runShellScript',
        name: 'install',
        precondition: { StringEquals: ['platformType', 'Linux'] },
        inputs: { timeoutSeconds: '900', runCommand: script },
      },
    ],
  };
}
