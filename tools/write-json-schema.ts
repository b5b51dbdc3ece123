/** Writes docs/definition.schema.json from the zod schema, for editors that complete and check YAML. A test asserts it is current. */
import { writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { definitionJsonSchema } from '../core/config/schema.ts';

const target = new URL('../docs/definition.schema.json', import.meta.url);
const text = await format(JSON.stringify(definitionJsonSchema()), { parser: 'json', printWidth: 120 });
await writeFile(target, text);
console.log(`wrote ${target.pathname}`);
