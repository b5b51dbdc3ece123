/** The page's addresses: what stands behind `#`. */

export type Route =
  | { readonly at: 'overview' }
  | { readonly at: 'runs' }
  | { readonly at: 'run'; readonly run: string }
  | { readonly at: 'host'; readonly host: string }
  | { readonly at: 'group'; readonly group: string; readonly slot: number | null }
  | { readonly at: 'events'; readonly about: string }
  | { readonly at: 'what-if'; readonly down: string | null }
  | { readonly at: 'doctor' }
  | { readonly at: 'nowhere'; readonly hash: string };

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  const [place = '', name, ...more] = path.split('/').map(decoded);
  const asked = new URLSearchParams(query);
  if (name === undefined || name === '') return screenOf(place, asked, hash);
  if (place === 'runs' && more.length === 0) return { at: 'run', run: name };
  if (place === 'hosts' && more.length === 0) return { at: 'host', host: name };
  if (place === 'groups' && more.length <= 1) return { at: 'group', group: name, slot: slotOf(more[0]) };
  return { at: 'nowhere', hash };
}

function screenOf(place: string, asked: URLSearchParams, hash: string): Route {
  switch (place) {
    case '':
      return { at: 'overview' };
    case 'runs':
    case 'doctor':
      return { at: place };
    case 'events':
      return { at: 'events', about: asked.get('about') ?? '' };
    case 'what-if':
      return { at: 'what-if', down: asked.get('down') };
    default:
      return { at: 'nowhere', hash };
  }
}

function slotOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const to = {
  overview: () => '#/',
  runs: () => '#/runs',
  run: (run: string) => `#/runs/${encodeURIComponent(run)}`,
  host: (host: string) => `#/hosts/${encodeURIComponent(host)}`,
  group: (group: string, slot?: number) =>
    `#/groups/${encodeURIComponent(group)}${slot === undefined ? '' : `/${slot}`}`,
  events: (about?: string) => `#/events${about === undefined ? '' : `?about=${encodeURIComponent(about)}`}`,
  whatIf: (down?: string) => `#/what-if${down === undefined ? '' : `?down=${encodeURIComponent(down)}`}`,
  doctor: () => '#/doctor',
} as const;
