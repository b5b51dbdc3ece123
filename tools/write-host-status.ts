/** Writes docs/internals/host-status.md from the table in core/detection/host-status.ts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostStatusPage } from '../core/detection/host-status-page.ts';

const page = new URL('../docs/internals/host-status.md', import.meta.url);
mkdirSync(new URL('.', page), { recursive: true });
writeFileSync(page, hostStatusPage());
