/** Settings that between them take every branch of the stacks, for whoever looks at templates. */
export const SETTINGS_VARIANTS: Readonly<Record<string, object>> = {
  'by default': {},
  'with everything that may be asked for': {
    name: 'Everything',
    tables: {
      heartbeats: { billing: 'provisioned', warmThroughput: {} },
      registry: { billing: 'provisioned', utilisation: 50 },
    },
    findBehind: { every: 'minute' },
    api: { auth: 'jwt', issuer: 'https://issuer.example', audience: ['holdfast'] },
    pages: { emails: ['pager@example.com'] },
    offCloud: {
      trustAnchorArn: 'arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/11111111-2222-3333-4444-555555555555',
    },
  },
  'with nothing that may be left out': {
    tables: { heartbeats: { billing: 'on-demand', warmThroughput: { writeUnits: 20_000 } } },
    workflow: { alias: false },
    alarms: { enabled: false },
    dashboard: false,
  },
};
