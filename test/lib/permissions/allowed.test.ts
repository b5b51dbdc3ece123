import { beforeAll, describe, expect, test } from '@jest/globals';
import { ALLOWED, allowedGrants } from '../../../lib/permissions/allowed.ts';
import { grantLine, grants } from '../../../lib/permissions/granted.ts';
import { Template, type Templates } from '../../../lib/permissions/template.ts';
import { defaultTemplates, fullTemplates, SYNTH_MS } from './templates.ts';

let byDefault: Templates;
let full: Templates;

beforeAll(async () => {
  byDefault = await defaultTemplates();
  full = await fullTemplates();
}, SYNTH_MS);

const granted = (templates: Templates) => [...new Set(grants(templates).map(grantLine))].sort();
const listed = [...new Set(allowedGrants().map(grantLine))].sort();

/** Of a deployment with one more policy, the lines that are not listed. */
function unlistedWith(statement: object): string[] {
  const policy = Template.parse({
    Resources: {
      Planted: {
        Type: 'AWS::IAM::Policy',
        Properties: {
          PolicyDocument: { Version: '2012-10-17', Statement: [statement] },
          Roles: [{ Ref: 'PlantedRole' }],
        },
      },
      PlantedRole: {
        Type: 'AWS::IAM::Role',
        Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] } },
      },
    },
  });
  return granted({ ...byDefault, Planted: policy }).filter(
    (line) => line.startsWith('PlantedRole') && !listed.includes(line),
  );
}

describe('the table of rights (S16)', () => {
  test('nothing is granted that it does not list', () => {
    expect(granted(byDefault).filter((line) => !listed.includes(line))).toEqual([]);
    expect(granted(full).filter((line) => !listed.includes(line))).toEqual([]);
  });

  test('it lists nothing that is not granted any more', () => {
    expect(listed.filter((line) => !granted(full).includes(line))).toEqual([]);
  });

  test('every right has a reason, and every star in it another', () => {
    for (const right of ALLOWED) {
      expect(right.why).not.toBe('');
      const hasStar = [...right.may, ...right.on].some((text) => text.includes('*'));
      if (right.effect === 'Allow') expect([right, (right.star ?? '') !== '']).toEqual([right, hasStar]);
    }
  });

  test('no action is a pattern', () => {
    expect(
      ALLOWED.filter(({ effect, may }) => effect === 'Allow' && may.some((action) => action.includes('*'))),
    ).toEqual([]);
  });

  test('whoever is neither a role nor a service of AWS is only refused things', () => {
    const anybody = grants(full).filter(({ who }) => who === 'anybody');
    expect(anybody.length).toBeGreaterThan(0);
    expect(anybody.filter(({ effect }) => effect === 'Allow')).toEqual([]);
  });
});

describe('what it would report', () => {
  const on = 'arn:aws:dynamodb:eu-west-1:111122223333:table/Heartbeats';

  test('an action more', () => {
    expect(unlistedWith({ Effect: 'Allow', Action: 'dynamodb:DeleteTable', Resource: on })).toEqual([
      'PlantedRole: dynamodb:DeleteTable on dynamodb:table/Heartbeats',
    ]);
  });

  test('stars', () => {
    expect(unlistedWith({ Effect: 'Allow', Action: ['ec2:*', '*'], Resource: '*' })).toEqual([
      'PlantedRole: * on *',
      'PlantedRole: ec2:* on *',
    ]);
  });

  test('a condition that is gone', () => {
    const bare = grants(full).filter(({ action }) => action === 'ec2:StopInstances');
    expect(bare).toHaveLength(1);
    const lines = bare.map((grant) => grantLine({ ...grant, when: {} }));
    expect(lines.filter((line) => listed.includes(line))).toEqual([]);
  });

  test('everything but something: not read at all, so the test cannot pass', () => {
    expect(() => unlistedWith({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' })).toThrow();
    expect(() => unlistedWith({ Effect: 'Allow', Action: 'ec2:StopInstances', NotResource: on })).toThrow();
  });

  test('a policy that AWS writes', () => {
    const role = Template.parse({
      Resources: {
        Planted: {
          Type: 'AWS::IAM::Role',
          Properties: { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] },
        },
      },
    });
    expect(() => granted({ ...byDefault, Planted: role })).toThrow('AdministratorAccess');
  });
});
