import { page } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { isDark, setTheme, theme } from '../data/theme.ts';
import type { Route } from '../model/routes.ts';
import { to } from '../model/routes.ts';

const TABS: readonly { readonly says: string; readonly href: string; readonly at: readonly Route['at'][] }[] = [
  { says: 'Overview', href: to.overview(), at: ['overview', 'host', 'group'] },
  { says: 'Runs', href: to.runs(), at: ['runs', 'run'] },
  { says: 'Events', href: to.events(), at: ['events'] },
  { says: 'What if', href: to.whatIf(), at: ['what-if'] },
  { says: 'Doctor', href: to.doctor(), at: ['doctor'] },
];

export function Header({ at }: { readonly at: Route['at'] }) {
  const cluster = useStore(page, ({ status }) => status?.cluster);
  const open = useStore(page, ({ status }) => status?.runs.length ?? 0);
  return (
    <header class="bar">
      <div class="bar-inside">
        <a class="brand" href={to.overview()}>
          <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true" focusable="false">
            <rect width="32" height="32" rx="8" />
            <path d="M10 7v18M22 7v18M10 16h12" />
            <circle cx="16" cy="16" r="3.6" />
          </svg>
          <span>
            Holdfast
            {cluster !== undefined && (
              <span class="cluster">
                <span class="sr">, cluster</span> {cluster}
              </span>
            )}
          </span>
        </a>
        <nav class="tabs" aria-label="Screens">
          {TABS.map((tab) => (
            <a key={tab.href} href={tab.href} aria-current={tab.at.includes(at) ? 'page' : undefined}>
              {tab.says}
              {tab.says === 'Runs' && open > 0 && (
                <span class="pip number">
                  {open}
                  <span class="sr"> open</span>
                </span>
              )}
            </a>
          ))}
        </nav>
        <div class="bar-end">
          <LinkState />
          <ThemeButton />
        </div>
      </div>
    </header>
  );
}

function LinkState() {
  const is = useStore(page, ({ link }) => link.is);
  const says = { connecting: 'Connecting', live: 'Live', away: 'API away' }[is];
  return (
    <span class={`link-state ${is}`} role="status">
      <span class="link-dot" aria-hidden="true" />
      {says}
    </span>
  );
}

function ThemeButton() {
  const now = useStore(theme, (value) => value);
  const next = isDark(now) ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={`Use the ${next} theme`}
      title={`Use the ${next} theme`}
      onClick={() => setTheme(next)}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        {next === 'light' ? (
          <path d="M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.4M11.6 11.6L13 13M13 3l-1.4 1.4M4.4 11.6L3 13M5 8a3 3 0 1 0 6 0 3 3 0 1 0-6 0" />
        ) : (
          <path d="M13.5 9.8A6 6 0 0 1 6.2 2.5 6 6 0 1 0 13.5 9.8z" />
        )}
      </svg>
    </button>
  );
}
