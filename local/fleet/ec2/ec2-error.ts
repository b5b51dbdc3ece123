/** An error as EC2 and SSM answer it. */
export class Ec2Error extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'Ec2Error';
    this.code = code;
    this.status = status;
  }
}

export function notFound(id: string): Ec2Error {
  return new Ec2Error('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
}

export function wrongState(id: string, verb: string): Ec2Error {
  return new Ec2Error('IncorrectInstanceState', `The instance '${id}' is not in a state from which it can be ${verb}.`);
}

export function protectedFrom(id: string, verb: string, attribute: string): Ec2Error {
  const text = `The instance '${id}' may not be ${verb}. Modify its '${attribute}' instance attribute and try again.`;
  return new Ec2Error('OperationNotPermitted', text);
}
