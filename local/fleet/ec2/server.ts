/**
 * Loopback HTTP that the real SDK clients of EC2 and Auto Scaling (Query protocol) and SSM (AWS JSON 1.1) talk to. Signatures are not
 * verified, but a request must be signed by the runtime's access key: a web page cannot send that header unasked.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { XMLBuilder } from 'fast-xml-parser';
import { messageOf } from '../../../core/failures/failures.ts';
import { Ec2Cloud } from './cloud.ts';
import type { CloudOptions } from './cloud.ts';
import { ACTIONS } from './ec2-actions.ts';
import { Ec2Error } from './ec2-error.ts';
import { refuseThrottled } from './ec2-gates.ts';
import { type Parameters, readParameters } from './ec2-parameters.ts';
import { SCALING_ACTIONS, SCALING_VERSION } from './scaling-actions.ts';
import { Ssm } from './ssm.ts';

const BODY_BYTES_MAX = 256 * 1024;
const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';
const SCALING_NAMESPACE = 'http://autoscaling.amazonaws.com/doc/2011-01-01/';
const SSM_TARGET = 'AmazonSSM.';

export interface Ec2Server {
  /** Endpoint of all clients. */
  readonly url: string;
  readonly cloud: Ec2Cloud;
  close(): Promise<void>;
}

export interface Ec2ServerOptions extends CloudOptions {
  readonly accessKeyId: string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export async function startEc2(options: Ec2ServerOptions): Promise<Ec2Server> {
  const cloud = new Ec2Cloud(options);
  const ssm = new Ssm(cloud);
  const server = createServer((request, response) => {
    void answer(request, { cloud, ssm, options }).then(({ status, type, body }) => {
      response.writeHead(status, { 'content-type': type, 'x-amzn-requestid': randomUUID() });
      response.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the local EC2 has no port');
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    cloud,
    async close() {
      cloud.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Served {
  readonly cloud: Ec2Cloud;
  readonly ssm: Ssm;
  readonly options: Ec2ServerOptions;
}

async function answer(request: IncomingMessage, served: Served): Promise<Answer> {
  const target = String(request.headers['x-amz-target'] ?? '');
  const isSsm = target.startsWith(SSM_TARGET);
  try {
    if (!isSigned(request, served.options.accessKeyId)) {
      throw new Ec2Error('AuthFailure', "sign requests with the runtime's access key (AWS4-HMAC-SHA256)", 401);
    }
    const body = await readBody(request);
    if (isSsm) return json(200, served.ssm.call(target.slice(SSM_TARGET.length), JSON.parse(body)));
    return query(body, served);
  } catch (error) {
    if (!(error instanceof Ec2Error)) served.options.log(`local EC2: ${messageOf(error)}`);
    const fault = error instanceof Ec2Error ? error : new Ec2Error('InternalError', messageOf(error), 500);
    return isSsm
      ? json(fault.status, { __type: fault.code, message: fault.message })
      : xml(fault.status, { Response: errorContent(fault) });
  }
}

/** EC2 and Auto Scaling share the protocol, and are told apart by the version that their clients name. */
function query(body: string, { cloud, options }: Served): Answer {
  const parameters = readParameters(body);
  return parameters.text('Version') === SCALING_VERSION
    ? scaling(parameters, cloud, options.log)
    : ec2(parameters, cloud);
}

function ec2(parameters: Parameters, cloud: Ec2Cloud): Answer {
  const name = parameters.required('Action');
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new Ec2Error('InvalidAction', `The action ${name} is not valid for the local EC2.`);
  const content = action(cloud, parameters);
  return xml(200, { [`${name}Response`]: { '@_xmlns': NAMESPACE, requestId: randomUUID(), ...content } });
}

function scaling(parameters: Parameters, cloud: Ec2Cloud, log: (text: string) => void): Answer {
  const RequestId = randomUUID();
  try {
    const name = parameters.required('Action');
    const action = Object.hasOwn(SCALING_ACTIONS, name) ? SCALING_ACTIONS[name] : undefined;
    if (action === undefined) throw new Ec2Error('InvalidAction', `Could not find operation ${name}`);
    refuseThrottled(cloud, []);
    const content = { [`${name}Result`]: action(cloud, parameters), ResponseMetadata: { RequestId } };
    return xml(200, { [`${name}Response`]: { '@_xmlns': SCALING_NAMESPACE, ...content } });
  } catch (error) {
    if (!(error instanceof Ec2Error)) log(`local Auto Scaling: ${messageOf(error)}`);
    const fault = error instanceof Ec2Error ? error : new Ec2Error('InternalFailure', messageOf(error), 500);
    const Error = { Type: 'Sender', Code: fault.code, Message: fault.message };
    return xml(fault.status, { ErrorResponse: { '@_xmlns': SCALING_NAMESPACE, Error, RequestId } });
  }
}

function errorContent({ code, message }: Ec2Error): object {
  return { Errors: { Error: { Code: code, Message: message } }, RequestID: randomUUID() };
}

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@_', suppressEmptyNode: true });

function xml(status: number, content: object): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build(content)}`;
  return { status, type: 'text/xml;charset=UTF-8', body };
}

function json(status: number, content: object): Answer {
  return { status, type: 'application/x-amz-json-1.1', body: JSON.stringify(content) };
}

function isSigned(request: IncomingMessage, accessKeyId: string): boolean {
  return (request.headers.authorization ?? '').startsWith(`AWS4-HMAC-SHA256 Credential=${accessKeyId}/`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_BYTES_MAX) throw new Ec2Error('RequestEntityTooLarge', 'the request is too long', 413);
  }
  return text;
}
