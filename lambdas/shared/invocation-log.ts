/** The log of one Lambda: every line says which function, which invocation, whether it was a cold start, and which run. */
import { Logger } from '@aws-lambda-powertools/logger';
import { FAILURES, failureCode, messageOf } from '../../core/failures/failures.ts';
import type { ControlPorts, Invocations } from './ports.ts';

type LambdaContext = Parameters<Logger['addContext']>[0];

/**
 * Levels are Lambda's own setting (`AWS_LAMBDA_LOG_LEVEL`) or `POWERTOOLS_LOG_LEVEL`. Events are never logged: those of the
 * API carry what authorises their senders.
 */
export function invocationLog(logger = new Logger({ serviceName: 'holdfast' })): {
  readonly log: ControlPorts['log'];
  readonly invocations: Invocations;
} {
  return {
    log: (level, text, facts = {}) => logger[level](text, { ...facts }),
    invocations: {
      begun(context, run) {
        if (isLambdaContext(context)) logger.addContext(context);
        // Of the invocation before, in a warm environment.
        logger.resetKeys();
        if (run !== null) logger.appendKeys({ run });
      },
      failed(error) {
        const code = failureCode(error);
        // What is tried again is no error yet; what has no code is a bug, and shows where.
        if (code !== undefined) logger[FAILURES[code].retry === 'never' ? 'error' : 'warn'](messageOf(error), { code });
        else if (error instanceof Error) logger.error(messageOf(error), error);
        else logger.error(messageOf(error));
      },
    },
  };
}

function isLambdaContext(context: unknown): context is LambdaContext {
  return typeof context === 'object' && context !== null && 'awsRequestId' in context && 'functionName' in context;
}
