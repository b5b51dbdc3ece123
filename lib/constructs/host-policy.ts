import { Duration, Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnProfile } from 'aws-cdk-lib/aws-rolesanywhere';
import { Construct } from 'constructs';
import { type HostIdentity, hostStatements, type HostTables } from '../permissions/host-policy.ts';

const TITLES: Readonly<Record<HostIdentity, string>> = {
  instance: 'Holdfast hosts on EC2',
  certificate: 'Holdfast hosts known by certificates (IAM Roles Anywhere)',
};

export interface HostPolicyProps extends HostTables {
  /** Default: `instance`. */
  readonly identity?: HostIdentity | undefined;
}

/** The one policy that the role of a host needs for Holdfast. It says the same for every host, and lets none reach another's items. */
export class HostPolicy extends Construct {
  readonly managedPolicy: ManagedPolicy;

  constructor(scope: Construct, id: string, props: HostPolicyProps) {
    super(scope, id);
    const identity = props.identity ?? 'instance';
    this.managedPolicy = new ManagedPolicy(this, 'Policy', {
      description: `${TITLES[identity]}: own heartbeat, own assignment, own reports`,
      statements: hostStatements(identity, props),
    });
  }

  get managedPolicyArn(): string {
    return this.managedPolicy.managedPolicyArn;
  }
}

export interface OffCloudHostsProps extends HostTables {
  /** Of IAM Roles Anywhere: the certificate authority whose certificates name hosts. */
  readonly trustAnchorArn: string;
}

/** For machines outside of AWS: a role that certificates of one trust anchor may take, with the policy of hosts and nothing else. */
export class OffCloudHosts extends Construct {
  readonly policy: HostPolicy;
  readonly role: Role;
  readonly profile: CfnProfile;

  constructor(scope: Construct, id: string, props: OffCloudHostsProps) {
    super(scope, id);
    this.policy = new HostPolicy(this, 'Policy', { ...props, identity: 'certificate' });
    // Without the condition, any trust anchor of the account would do.
    const anchored = { ArnEquals: { 'aws:SourceArn': props.trustAnchorArn } };
    const service = new ServicePrincipal('rolesanywhere.amazonaws.com', { conditions: anchored });
    this.role = new Role(this, 'Role', {
      assumedBy: service,
      description: 'Holdfast hosts outside of AWS',
      managedPolicies: [this.policy.managedPolicy],
    });
    // The tags are where the common name comes from, by which hosts are told apart.
    this.role.assumeRolePolicy?.addStatements(
      new PolicyStatement({
        principals: [service],
        actions: ['sts:SetSourceIdentity', 'sts:TagSession'],
        conditions: anchored,
      }),
    );
    this.profile = new CfnProfile(this, 'Profile', {
      name: `${Stack.of(this).stackName}-hosts`,
      enabled: true,
      roleArns: [this.role.roleArn],
      durationSeconds: Duration.hours(1).toSeconds(),
    });
  }
}
