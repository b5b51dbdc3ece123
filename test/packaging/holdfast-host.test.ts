import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import {
  GatewayVpcEndpointAwsService,
  Instance,
  InstanceType,
  type IVpc,
  MachineImage,
  OperatingSystemType,
  UserData,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readHostFile } from '../../adapters/node/host-file.ts';
import { hostName } from '../../core/config/schema-parts.ts';
import { HaError } from '../../core/failures/failures.ts';
import { HostDocument } from '../../lib/constructs/host-document.ts';
import { HoldfastHost } from '../../lib/constructs/holdfast-host.ts';
import { buildAgent } from '../../tools/build-agent.ts';

jest.setTimeout(60_000);

const FACTS = { cluster: 'payments', heartbeatsTable: 'Heartbeats-1', registryTable: 'Registry-1' };
const TIES = { ...FACTS, hostPolicyArn: 'arn:aws:iam::123456789012:policy/hosts' };
const IMAGE = MachineImage.genericLinux({ 'eu-west-1': 'ami-0123456789abcdef0' });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-hosts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function world() {
  // Bundling is what the build's own test shows; here the package is any file.
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'Hosts', { env: { account: '123456789012', region: 'eu-west-1' } });
  const vpc = new Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 0 }) as IVpc;
  const launch = {
    vpc,
    instanceType: new InstanceType('t4g.small'),
    machineImage: IMAGE,
    vpcSubnets: { subnets: vpc.isolatedSubnets },
  };
  return { stack, vpc, launch };
}

interface Made {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

/** Logical ids stand for what only a deployment knows. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [name, argument] = Object.entries(value as object)[0] ?? [];
  if (name === 'Fn::Join') return (argument as [string, unknown[]])[1].map(textOf).join('');
  if (name === 'Ref') return String(argument);
  if (name === 'Fn::Sub') return String(argument);
  if (name === 'Fn::Base64') return textOf(argument);
  throw new Error(`what is ${JSON.stringify(value)}?`);
}

function userDataOf(stack: Stack): string[] {
  const made = Template.fromStack(stack).findResources('AWS::EC2::Instance') as Record<string, Made>;
  return Object.values(made).map(({ Properties }) => textOf(Properties['UserData']));
}

describe('HoldfastHost', () => {
  test('launches an instance with its rights and tag, and with nothing that defeats a failover', () => {
    const { stack, launch } = world();
    new HoldfastHost(stack, 'Db1', { ...TIES, host: 'db-1', launch });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::EC2::Instance', {
      Tags: Match.arrayWith([{ Key: 'holdfast', Value: 'host' }]),
      LaunchTemplate: { LaunchTemplateId: { Ref: Match.stringLikeRegexp('Db1Template') }, Version: '1' },
    });
    template.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: {
        MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required' },
        MaintenanceOptions: { AutoRecovery: 'disabled' },
        DisableApiStop: false,
      },
    });
    template.hasResourceProperties('AWS::IAM::Role', {
      ManagedPolicyArns: Match.arrayWith([
        TIES.hostPolicyArn,
        { 'Fn::Join': ['', Match.arrayWith([':iam::aws:policy/AmazonSSMManagedInstanceCore'])] },
      ]),
    });
    const policies = Object.values(template.findResources('AWS::IAM::Policy')) as Made[];
    const actions = policies.flatMap(({ Properties }) => {
      const document = Properties['PolicyDocument'] as {
        Statement: { Action: string | string[]; Resource: unknown }[];
      };
      return document.Statement.map(({ Action, Resource }) => `${[Action].flat().join()} ${JSON.stringify(Resource)}`);
    });
    expect(actions).toEqual([
      expect.stringMatching(/^s3:GetObject .*\.tgz|^s3:GetObject .*cdk-hnb659fds-assets/),
      expect.stringMatching(/^ssm:DescribeParameters.*HoldfastHostsAgentAddress/),
    ]);
  });

  test('two hosts of a stack share a package; their user data does not change with it', () => {
    const { stack, launch } = world();
    for (const host of ['db-1', 'db-2']) new HoldfastHost(stack, host, { ...TIES, host, launch });
    Template.fromStack(stack).resourceCountIs('AWS::SSM::Parameter', 1);
    const [first, second] = userDataOf(stack);
    expect(first).toContain('host: "db-1"');
    expect(second).toBe(first?.replace('db-1', 'db-2'));
    expect(first).not.toMatch(/s3:\/\/|[0-9a-f]{64}/);
  });

  test('an instance that is given gets no launch template, which would replace it, and a warning', () => {
    const { stack, launch, vpc } = world();
    const instance = new Instance(stack, 'Own', launch);
    new HoldfastHost(stack, 'Db1', { ...TIES, host: 'db-1', instance, vpc });
    Template.fromStack(stack).resourceCountIs('AWS::EC2::LaunchTemplate', 0);
    Template.fromStack(stack).hasResourceProperties('AWS::EC2::Instance', {
      MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required' },
      Tags: Match.arrayWith([{ Key: 'holdfast', Value: 'host' }]),
    });
    Annotations.fromStack(stack).hasWarning(
      '*',
      Match.stringLikeRegexp('automatic recovery .* --auto-recovery disabled'),
    );
  });

  test('members of an Auto Scaling group, and Windows, are refused', () => {
    const { stack, launch, vpc } = world();
    const group = new AutoScalingGroup(stack, 'Group', { vpc, instanceType: launch.instanceType, machineImage: IMAGE });
    const props = { ...TIES, host: 'db-1', instance: group as unknown as Instance };
    expect(() => new HoldfastHost(stack, 'Db1', props)).toThrow(/Hosts\/Db1: got an Auto Scaling group/);
    const windows = { ...launch, machineImage: MachineImage.genericWindows({ 'eu-west-1': 'ami-0123456789abcdef1' }) };
    expect(windows.machineImage.getImage(stack).osType).toBe(OperatingSystemType.WINDOWS);
    expect(() => new HoldfastHost(stack, 'Db2', { ...TIES, host: 'db-2', launch: windows })).toThrow(/runs Windows/);
  });

  test('warns where heartbeats would leave by a NAT gateway, and not where they have their endpoint', () => {
    const without = world();
    new HoldfastHost(without.stack, 'Db1', { ...TIES, host: 'db-1', launch: without.launch });
    Annotations.fromStack(without.stack).hasWarning('/Hosts/Db1', Match.stringLikeRegexp('no gateway endpoint'));

    const other = world();
    new Vpc(other.stack, 'Other', { maxAzs: 1 }).addGatewayEndpoint('Db', {
      service: GatewayVpcEndpointAwsService.DYNAMODB,
    });
    other.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    new HoldfastHost(other.stack, 'Db1', { ...TIES, host: 'db-1', launch: other.launch });
    Annotations.fromStack(other.stack).hasWarning('/Hosts/Db1', Match.stringLikeRegexp('no gateway endpoint'));

    const having = world();
    having.vpc.addGatewayEndpoint('Db', { service: GatewayVpcEndpointAwsService.DYNAMODB });
    new HoldfastHost(having.stack, 'Db1', { ...TIES, host: 'db-1', launch: having.launch });
    Annotations.fromStack(having.stack).hasNoWarning('/Hosts/Db1', Match.stringLikeRegexp('no gateway endpoint'));
  });

  test('adds to the user data of an instance, whatever is in it', () => {
    const { stack, launch } = world();
    const userData = UserData.forLinux();
    userData.addCommands('echo mine');
    new HoldfastHost(stack, 'Db1', { ...TIES, host: 'db-1', launch: { ...launch, userData } });
    expect(userDataOf(stack)[0]).toMatch(/^#!\/bin\/bash\necho mine\n\(\nset -eu\n/);
  });
});

/** Stands for the AWS command line: the parameter's value, and the archive for its address. */
function awsIn(tools: string, archive: string): void {
  const script = `#!/bin/sh
echo "$*" >>"${tools}/asked"
case "$1 $2" in
'ssm get-parameter') echo s3://assets/agent.tgz ;;
's3 cp') [ "$4" = s3://assets/agent.tgz ] && cp '${archive}' "$5" ;;
*) exit 2 ;;
esac
`;
  writeFileSync(join(tools, 'aws'), script, { mode: 0o755 });
}

describe('the script', () => {
  let archive = '';
  beforeAll(async () => {
    archive = (await buildAgent(join(folder, 'built'))).path;
  });

  function runIt(shell: string, script: string) {
    const root = mkdtempSync(join(folder, 'root-'));
    const tools = join(root, 'tools');
    mkdirSync(tools);
    awsIn(tools, archive);
    const file = join(root, 'script');
    writeFileSync(file, script);
    execFileSync(shell, ['-n', file]);
    const temporary = join(root, 'tmp');
    mkdirSync(temporary);
    const path = { PATH: `${tools}:${process.env['PATH'] ?? ''}`, TMPDIR: temporary };
    const ran = spawnSync(shell, [file], {
      env: { ...path, DESTDIR: root, HOLDFAST_NODE: process.execPath },
      encoding: 'utf8',
    });
    expect(readdirSync(temporary)).toEqual([]);
    return {
      root,
      status: ran.status,
      output: ran.stdout + ran.stderr,
      asked: readFileSync(join(tools, 'asked'), 'utf8'),
    };
  }

  test('of user data makes a host: host file, package, nothing left behind', async () => {
    const { stack, launch } = world();
    const stateDir = `/data/it's $(odd) "here"`;
    const odd = { ...TIES, watchdog: 'none', stateDir } as const;
    new HoldfastHost(stack, 'Db1', { ...odd, host: 'db-1', launch });
    const { root, status, output, asked } = runIt('bash', userDataOf(stack)[0] ?? '');
    expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('is installed, with v24') });
    expect(asked).toMatch(
      /^ssm get-parameter --region eu-west-1 --name HoldfastHostsAgentAddress\w+ --query Parameter.Value/,
    );
    const file = join(root, 'etc/holdfast/host.yaml');
    expect(await readHostFile(file)).toMatchObject({
      ...{ cluster: 'payments', host: 'db-1', watchdog: 'none', stateDir },
      tables: { heartbeats: 'Heartbeats-1', registry: 'Registry-1' },
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(join(root, 'opt/holdfast/current/lib/guard.mjs'))).toBe(true);
  });

  test('of the document does the same under sh, and an association names each host', async () => {
    const { stack } = world();
    new HostDocument(stack, 'Existing', { ...FACTS, hosts: { 'db-1': 'i-1', 'db-2': 'i-2' }, reload: true });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::SSM::Association', 2);
    template.hasResourceProperties('AWS::SSM::Association', {
      AssociationName: 'holdfast-payments-db-2',
      Targets: [{ Key: 'InstanceIds', Values: ['i-2'] }],
      Parameters: { Host: ['db-2'], Package: [Match.anyValue()] },
    });
    const [document] = Object.values(template.findResources('AWS::SSM::Document')) as Made[];
    expect(document?.Properties).toMatchObject({ DocumentType: 'Command', UpdateMethod: 'NewVersion' });
    const content = document?.Properties['Content'] as {
      parameters: Record<string, { allowedPattern: string }>;
      mainSteps: { inputs: { runCommand: string[] } }[];
    };
    const url = 's3://cdk-hnb659fds-assets-123456789012-eu-west-1/0a1b.tgz';
    expect(url).toMatch(new RegExp(content.parameters['Package']?.allowedPattern ?? '^$'));
    const lines = content.mainSteps[0]?.inputs.runCommand ?? [];
    const script = lines.join('\n').replace('{{ Host }}', 'db-2').replace('{{ Package }}', 's3://assets/agent.tgz');
    const { root, status, asked } = runIt('sh', script);
    expect(status).toBe(0);
    expect(asked).toMatch(/^s3 cp /);
    expect(lines.at(-2)).toBe('"$work/install.sh" --reload');
    expect((await readHostFile(join(root, 'etc/holdfast/host.yaml'))).host).toBe('db-2');
  });
});

describe('names that no definition can have', () => {
  const HOST_RULE = 'must be a name of a-z, 0-9 and inner dashes, at most 27 characters';
  const CLUSTER_RULE = 'must be a name of a-z, 0-9 and inner dashes, at most 30 characters';

  test.each([
    [{ host: 'Db-1' }, `Hosts/Db1: host: got "Db-1"; ${HOST_RULE}`],
    [{ host: 'a'.repeat(28) }, `Hosts/Db1: host: got "${'a'.repeat(28)}"; ${HOST_RULE}`],
    [{ host: '' }, `Hosts/Db1: host: got ""; ${HOST_RULE}`],
    [{ cluster: 'payments_eu' }, `Hosts/Db1: cluster: got "payments_eu"; ${CLUSTER_RULE}`],
  ])('HoldfastHost refuses %j', (change, says) => {
    const { stack, launch } = world();
    const props = { ...TIES, host: 'db-1', launch, ...change };
    expect(() => new HoldfastHost(stack, 'Db1', props)).toThrow(new HaError('config_invalid', says));
  });

  test.each([
    [{ hosts: { 'db-1': 'i-1', 'db-1; reboot': 'i-2' } }, `Hosts/Old: hosts: got "db-1; reboot"; ${HOST_RULE}`],
    [{ hosts: { 'db.1': 'i-1' } }, `Hosts/Old: hosts: got "db.1"; ${HOST_RULE}`],
    [{ cluster: 'Payments' }, `Hosts/Old: cluster: got "Payments"; ${CLUSTER_RULE}`],
  ])('HostDocument refuses %j', (change, says) => {
    const { stack } = world();
    const props = { ...FACTS, hosts: { 'db-1': 'i-1' }, ...change };
    expect(() => new HostDocument(stack, 'Old', props)).toThrow(new HaError('config_invalid', says));
  });

  test('what only the deployment knows cannot be judged, and is taken', () => {
    const { stack, launch } = world();
    const { valueAsString: cluster } = new CfnParameter(stack, 'Cluster');
    new HoldfastHost(stack, 'Db1', { ...TIES, cluster, host: 'db-1', launch });
    expect(userDataOf(stack)[0]).toContain('cluster: "Cluster"');
  });

  test.each([
    ['db-1', true],
    ['7', true],
    ['a'.repeat(27), true],
    ['a'.repeat(28), false],
    ['db-', false],
    ['-db', false],
    ['Db', false],
    ['db.1', false],
  ])('the document itself, run by hand, thinks the same of "%s"', (host, isName) => {
    const { stack } = world();
    new HostDocument(stack, 'Old', { ...FACTS, hosts: {} });
    const [document] = Object.values(Template.fromStack(stack).findResources('AWS::SSM::Document')) as Made[];
    const { parameters } = document?.Properties['Content'] as {
      parameters: Record<string, { allowedPattern: string }>;
    };
    expect(new RegExp(parameters['Host']?.allowedPattern ?? '').test(host)).toBe(isName);
    expect(hostName.safeParse(host).success).toBe(isName);
  });
});
