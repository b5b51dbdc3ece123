/** Parameters of the EC2 Query protocol: `InstanceId.1=…&Force=true`. */
import { Ec2Error } from './ec2-error.ts';

const LIST_MAX = 1_000;

export interface Parameters {
  text(name: string): string | undefined;
  required(name: string): string;
  flag(name: string): boolean;
  /** `NAME.1`, `NAME.2`, … */
  list(name: string): readonly string[];
  has(prefix: string): boolean;
}

export function readParameters(body: string): Parameters {
  const form = new URLSearchParams(body);
  const text = (name: string): string | undefined => form.get(name) ?? undefined;
  return {
    text,
    required(name) {
      const value = text(name);
      if (value !== undefined && value !== '') return value;
      throw new Ec2Error('MissingParameter', `The request must contain the parameter ${name}`);
    },
    flag(name) {
      const value = text(name) ?? 'false';
      if (value !== 'true' && value !== 'false') {
        throw new Ec2Error('InvalidParameterValue', `Value (${value}) for parameter ${name} is invalid: true or false`);
      }
      return value === 'true';
    },
    list(name) {
      const values: string[] = [];
      for (let n = 1; n <= LIST_MAX; n += 1) {
        const value = text(`${name}.${String(n)}`);
        if (value === undefined) return values;
        values.push(value);
      }
      throw new Ec2Error('InvalidParameterValue', `more than ${String(LIST_MAX)} of ${name}`);
    },
    has: (prefix) => [...form.keys()].some((name) => name.startsWith(prefix)),
  };
}
