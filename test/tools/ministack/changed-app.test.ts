import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeApp } from '../../../tools/ministack/changed-app.ts';

const BUNDLE = 'a'.repeat(64);
const PACKAGE = 'b'.repeat(64);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** An assembly of one stack with a Lambda and one with a table. */
function assembly(): { readonly from: string; readonly to: string; readonly control: string; readonly state: string } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-changed-'));
  const from = join(folder, 'app');
  mkdirSync(join(from, `asset.${BUNDLE}`), { recursive: true });
  writeFileSync(join(from, `asset.${BUNDLE}`, 'index.mjs'), 'export const handler = () => 1;');
  writeFileSync(join(from, `asset.${PACKAGE}.tgz`), 'a package');
  const control = JSON.stringify({ Code: `${BUNDLE}.zip`, Package: `${PACKAGE}.tgz` });
  const state = JSON.stringify({ Table: true });
  for (const [name, text] of Object.entries({ Control: control, State: state })) {
    writeFileSync(join(from, `${name}.template.json`), text);
    const files = {
      [sha256(text)]: { source: { path: `${name}.template.json` }, key: `${sha256(text)}.json` },
      ...(name === 'Control' ? { [BUNDLE]: { source: { path: `asset.${BUNDLE}` }, key: `${BUNDLE}.zip` } } : {}),
    };
    writeFileSync(join(from, `${name}.assets.json`), JSON.stringify({ files }));
  }
  writeFileSync(join(from, 'manifest.json'), JSON.stringify({ urls: [sha256(control), sha256(state)] }));
  return { from, to: join(folder, 'changed'), control: sha256(control), state: sha256(state) };
}

describe('the changed app', () => {
  test('has other bundles, under other names, in a template under another name', async () => {
    const { from, to, control } = assembly();
    await changeApp(from, to);
    const text = (name: string) => readFileSync(join(to, name), 'utf8');
    expect(text(`asset.${BUNDLE}/index.mjs`)).not.toBe(
      readFileSync(join(from, `asset.${BUNDLE}`, 'index.mjs'), 'utf8'),
    );
    expect(text('Control.template.json')).not.toContain(BUNDLE);
    // The file keeps its name, what it is uploaded as does not.
    expect(text('Control.assets.json')).toContain(`"path":"asset.${BUNDLE}"`);
    expect(text('Control.assets.json')).not.toContain(`${BUNDLE}.zip`);
    expect(text('manifest.json')).not.toContain(control);
  });

  test('leaves alone what did not change', async () => {
    const { from, to, state } = assembly();
    await changeApp(from, to);
    const text = (name: string) => readFileSync(join(to, name), 'utf8');
    expect(text('State.template.json')).toBe(readFileSync(join(from, 'State.template.json'), 'utf8'));
    expect(text('manifest.json')).toContain(state);
    expect(text('Control.template.json')).toContain(`${PACKAGE}.tgz`);
    expect(readdirSync(to).toSorted()).toEqual(readdirSync(from).toSorted());
  });
});
