/** One route: what it takes, answers and may refuse, in one place, so that router and OpenAPI document cannot differ. */
import * as z from 'zod';
import type { ConsoleFiles } from '../../adapters/node/console-files.ts';
import type { FailureCode } from '../../core/failures/failures.ts';
import type { ClusterRecord } from '../../core/protocol/records.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { type Caller, OPERATE_SCOPE, requireScope } from './caller.ts';
import type { HttpEvent } from './http.ts';
import { bytesOf, jsonOf, parseTexts, parseWith, queryOf, requireType } from './parse.ts';

export interface ApiOptions {
  readonly account: ClusterRecord['account'];
  /** On AWS an authoriser names every caller: without a name somebody has found a way around it, and is refused. */
  readonly refusesUnnamed?: boolean;
  /** What a JWT must have for whatever changes something. */
  readonly operateScope?: string;
  /** Name of the Lambda that fences; without one the doctor has no command to offer. */
  readonly fenceFunction?: string | null;
  /** The web console's files; without them there is only the API. */
  readonly console?: () => Promise<ConsoleFiles>;
}

export interface Call<Path, Query, Body> {
  readonly ports: ControlPorts;
  readonly options: ApiOptions;
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
  /** Who asks, as the authorisation in front of the API names them. */
  readonly by: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Shape = z.ZodRawShape;
type Values<S extends Shape> = z.output<z.ZodObject<S>>;

/** `bytes`: neither JSON nor necessarily text. */
export type BodySpec<Body> =
  | {
      readonly kind: 'json';
      readonly schema: z.ZodType<Body>;
      readonly name: string;
      readonly isOptional: boolean;
      readonly example: object;
    }
  | {
      readonly kind: 'bytes';
      readonly read: (bytes: Buffer) => Body;
      readonly types: readonly string[];
      readonly about: string;
      readonly example: string;
    };

export interface AnswerSpec {
  readonly type: 'application/json' | 'text/event-stream';
  /** Of the schema among the components; for text none. */
  readonly name: string;
  readonly schema: z.ZodType;
  readonly about: string;
  readonly example?: unknown;
}

export interface RouteSpec<Path extends Shape, Query extends Shape, Body> {
  readonly method: 'GET' | 'POST';
  /** With `{name}` for each part of `params`. */
  readonly path: string;
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly params: Path;
  readonly query: Query;
  readonly headers?: readonly { readonly name: string; readonly schema: z.ZodType; readonly about: string }[];
  readonly body?: BodySpec<Body>;
  /** A POST that changes nothing: a question that is too long for an address. */
  readonly isQuestion?: boolean;
  readonly answer: AnswerSpec;
  /** Beyond what any route may answer. */
  readonly errors: readonly FailureCode[];
  readonly run: (call: Call<Values<Path>, Values<Query>, Body>) => Promise<unknown>;
}

export interface Route extends Omit<RouteSpec<Shape, Shape, unknown>, 'run'> {
  readonly pattern: RegExp;
  readonly serve: (request: Served) => Promise<unknown>;
}

export interface Served {
  readonly ports: ControlPorts;
  readonly options: ApiOptions;
  readonly event: HttpEvent;
  /** null: nobody said, and nobody had to. */
  readonly caller: Caller | null;
  /** The parts of the path, decoded, in the order of the template. */
  readonly parts: readonly string[];
}

export function route<Path extends Shape, Query extends Shape, Body = undefined>(
  spec: RouteSpec<Path, Query, Body>,
): Route {
  const { run, body, ...rest } = spec;
  const pathSchema = z.strictObject(spec.params);
  const querySchema = z.strictObject(spec.query);
  const names = [...spec.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const pattern = new RegExp(`^${spec.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)')}$`);
  const changes = spec.method === 'POST' && spec.isQuestion !== true;
  const serve = async ({ ports, options, event, caller, parts }: Served): Promise<unknown> => {
    if (changes) requireScope(caller, options.operateScope ?? OPERATE_SCOPE, spec.summary);
    return run({
      ports,
      options,
      path: parseTexts(pathSchema, new Map(names.map((name, at) => [name, parts[at] ?? '']))),
      query: parseTexts(querySchema, queryOf(event)),
      body: bodyOf(body, event),
      by: caller?.name ?? 'api',
      headers: event.headers,
    });
  };
  return { ...rest, ...(body === undefined ? {} : { body }), pattern, serve };
}

function bodyOf<Body>(spec: BodySpec<Body> | undefined, event: HttpEvent): Body {
  if (spec === undefined) return undefined as Body; // A route without a body has no type for one.
  requireType(event, spec.kind === 'json' ? ['application/json'] : spec.types);
  const bytes = bytesOf(event);
  if (spec.kind === 'bytes') return spec.read(bytes);
  return parseWith(spec.schema, jsonOf(bytes, spec.isOptional), 'body');
}
