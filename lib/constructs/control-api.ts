import { RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpMethod,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { ApiSettings } from '../settings.ts';
import type { HoldfastLambda } from './lambda.ts';

export interface ControlApiProps {
  readonly apiName: string;
  readonly settings: ApiSettings;
  readonly handler: HoldfastLambda;
  readonly logRetention: RetentionDays;
}

/** Who asked for what, when, and what came of it. Names that belong to the other kind of authorisation stay empty. */
const ACCESS_LOG = {
  at: '$context.requestTime',
  request: '$context.requestId',
  caller: '$context.identity.userArn',
  subject: '$context.authorizer.claims.sub',
  from: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  path: '$context.path',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  bytes: '$context.responseLength',
  error: '$context.integrationErrorMessage',
} as const;

/**
 * The API in front of its Lambda. Every path asks for the same authorisation, the console's files included: its version is
 * always the API's, and nothing is public.
 */
export class ControlApi extends Construct {
  readonly api: HttpApi;
  readonly url: string;

  constructor(scope: Construct, id: string, { apiName, settings, handler, logRetention }: ControlApiProps) {
    super(scope, id);
    this.api = new HttpApi(this, 'Http', {
      apiName,
      description: 'Holdfast: what operators see and order',
      defaultAuthorizer: authorizer(settings),
      createDefaultStage: false,
    });
    const integration = new HttpLambdaIntegration('Handler', handler.fn);
    for (const path of ['/', '/{path+}']) this.api.addRoutes({ path, methods: [HttpMethod.ANY], integration });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: settings.ratePerSecond, burstLimit: settings.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(
          new LogGroup(this, 'AccessLogs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY }),
        ),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    });
    this.url = stage.url;
  }
}

function authorizer(settings: ApiSettings): IHttpRouteAuthorizer {
  if (settings.auth === 'iam') return new HttpIamAuthorizer();
  return new HttpJwtAuthorizer('Tokens', settings.issuer, { jwtAudience: [...settings.audience] });
}
