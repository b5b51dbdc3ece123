import { Annotations, Stack, Tags } from 'aws-cdk-lib';
import {
  CfnLaunchTemplate,
  GatewayVpcEndpoint,
  Instance,
  type InstanceProps,
  type IVpc,
  OperatingSystemType,
} from 'aws-cdk-lib/aws-ec2';
import { type IRole, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { HaError } from '../../core/failures/failures.ts';
import { HOST_TAG } from '../host-tag.ts';
import { AgentPackage } from './agent-package.ts';
import { refuseClusterName, refuseHostName } from './host-names.ts';
import { type HostFacts, installScript } from './install-script.ts';

interface HostProps extends HostFacts {
  /** Output HostPolicyArn of the control stack. */
  readonly hostPolicyArn: string;
}

export type HoldfastHostProps = HostProps &
  (
    | {
        /** The instance is made here, with everything that a host needs. */
        readonly launch: InstanceProps;
      }
    | {
        /** An instance of the same app that has not been deployed before: user data runs at the first boot only. */
        readonly instance: Instance;
        /** To look for the endpoint of DynamoDB in. */
        readonly vpc?: IVpc | undefined;
      }
  );

/** One instance as a host of a cluster: its rights, its tag, the agent at first boot, and nothing that defeats a failover. */
export class HoldfastHost extends Construct {
  readonly instance: Instance;

  constructor(scope: Construct, id: string, props: HoldfastHostProps) {
    super(scope, id);
    refuseClusterName(this, 'cluster', props.cluster);
    refuseHostName(this, 'host', props.host);
    this.instance = 'launch' in props ? this.launched(props.launch) : this.given(props.instance);
    if (this.instance.osType !== OperatingSystemType.LINUX) {
      throw new HaError('config_invalid', `${this.node.path}: the instance runs Windows; hosts run Linux`);
    }
    Tags.of(this.instance).add(HOST_TAG.key, HOST_TAG.value);
    const parameter = agentParameter(Stack.of(this));
    this.entitle(this.instance.role, props.hostPolicyArn, parameter);
    this.instance.userData.addCommands(...installScript(props, urlIn(parameter)));
    this.lookForEndpoint('launch' in props ? props.launch.vpc : props.vpc);
  }

  private launched(launch: InstanceProps): Instance {
    const instance = new Instance(this, 'Instance', { ...launch, requireImdsv2: false });
    const template = new CfnLaunchTemplate(this, 'Template', {
      launchTemplateData: {
        metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required' },
        // EC2 would bring a host back by itself while its slots move (failing hardware); fencing decides that here.
        maintenanceOptions: { autoRecovery: 'disabled' },
        // Fencing stops instances; protection would refuse that.
        disableApiStop: false,
      },
    });
    // Pinned: another version, or another template, replaces the instance.
    instance.instance.launchTemplate = { launchTemplateId: template.ref, version: '1' };
    return instance;
  }

  /** A launch template added to an instance replaces it, with its root volume. So nothing here is done by one. */
  private given(instance: Instance): Instance {
    if ('autoScalingGroupName' in instance) {
      throw new HaError(
        'config_invalid',
        `${this.node.path}: got an Auto Scaling group; it would replace hosts that Holdfast stops. Give single instances`,
      );
    }
    const { instance: resource } = instance;
    if (resource.launchTemplate === undefined) {
      resource.metadataOptions ??= { httpEndpoint: 'enabled', httpTokens: 'required' };
    }
    Annotations.of(this).addWarningV2(
      'holdfast:auto-recovery',
      'automatic recovery of a given instance cannot be switched off from here: use "launch", its own launch template, or ' +
        '"aws ec2 modify-instance-maintenance-options --auto-recovery disabled"; holdfast doctor checks it',
    );
    return instance;
  }

  private entitle(role: IRole, hostPolicyArn: string, parameter: AgentParameter): void {
    role.addManagedPolicy(ManagedPolicy.fromManagedPolicyArn(this, 'HostPolicy', hostPolicyArn));
    // The guard is asked over Systems Manager, on a way that shares nothing with the heartbeats.
    role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore'));
    parameter.agent.grantRead(role);
    parameter.address.grantRead(role);
  }

  private lookForEndpoint(vpc: IVpc | undefined): void {
    if (vpc === undefined || hasDynamoEndpoint(vpc)) return;
    Annotations.of(this).addWarningV2(
      'holdfast:no-gateway-endpoint',
      'no gateway endpoint of DynamoDB is seen in its VPC: heartbeats would depend on a NAT gateway and pay for it. ' +
        'Add vpc.addGatewayEndpoint("DynamoDb", { service: GatewayVpcEndpointAwsService.DYNAMODB }), which is free',
    );
  }
}

interface AgentParameter {
  readonly agent: AgentPackage;
  /** Holds the s3:// address of the package. */
  readonly address: StringParameter;
}

/**
 * One package for a stack with hosts. Its address is in a parameter, by which a new version reaches new hosts without a
 * change to the user data of those that run.
 */
class HostsAgent extends Construct implements AgentParameter {
  readonly agent: AgentPackage;
  readonly address: StringParameter;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.agent = new AgentPackage(this, 'Package');
    this.address = new StringParameter(this, 'Address', {
      description: 'Holdfast: the agent that new hosts install',
      stringValue: this.agent.url,
    });
  }
}

function agentParameter(stack: Stack): AgentParameter {
  const found = stack.node.tryFindChild('HoldfastHostsAgent');
  return found instanceof HostsAgent ? found : new HostsAgent(stack, 'HoldfastHostsAgent');
}

function urlIn({ address }: AgentParameter): string {
  const { region } = Stack.of(address);
  return `aws ssm get-parameter --region ${region} --name ${address.parameterName} --query Parameter.Value --output text`;
}

/** Of a VPC that is imported only what was added to it in this app can be seen. */
function hasDynamoEndpoint(vpc: IVpc): boolean {
  return vpc.node.root.node
    .findAll()
    .some((construct) => construct instanceof GatewayVpcEndpoint && isForDynamo(construct, vpc));
}

function isForDynamo(endpoint: GatewayVpcEndpoint, vpc: IVpc): boolean {
  const resource = endpoint.node.defaultChild;
  if (resource === undefined || !('serviceName' in resource) || !('vpcId' in resource)) return false;
  const stack = Stack.of(endpoint);
  const isSame = JSON.stringify(stack.resolve(resource.vpcId)) === JSON.stringify(stack.resolve(vpc.vpcId));
  return isSame && JSON.stringify(stack.resolve(resource.serviceName)).includes('.dynamodb');
}
