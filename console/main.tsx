/** Entry of the page. */
import './data/no-eval.ts';
import { render } from 'preact';
import { App } from './app.tsx';
import { start } from './data/live.ts';
import { restoreTheme } from './data/theme.ts';

restoreTheme();
const place = document.getElementById('page');
if (place !== null) render(<App />, place);
start();
