/** Writes docs/openapi.json from the table of routes, as the API serves it. A test asserts it is current. */
import { writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { apiDocument } from '../lambdas/api/handler.ts';

const target = new URL('../docs/openapi.json', import.meta.url);
const text = await format(JSON.stringify(apiDocument()), { parser: 'json', printWidth: 120 });
await writeFile(target, text);
console.log(`wrote ${target.pathname}`);
