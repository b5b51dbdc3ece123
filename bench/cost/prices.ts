/** The price file: one place, dated, with a source for each line. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';

const price = z.strictObject({ usd: z.number().positive(), per: z.string().min(1), source: z.string().min(1) });

const NAMES = [
  ...(['dynamoWriteUnit', 'dynamoReadUnit', 'dynamoWriteCapacityHour', 'dynamoReadCapacityHour'] as const),
  ...(['dynamoStorageGb', 'dynamoPitrGb', 'lambdaGbSecond', 'lambdaRequest', 'schedulerInvocation'] as const),
  ...([
    'logGb',
    'logStoredGb',
    'httpRequest',
    'stateTransition',
    'trace',
    'page',
    'alarm',
    'dashboard',
    'metric',
  ] as const),
] as const;
export type PriceName = (typeof NAMES)[number];

const PriceFile = z.strictObject({
  region: z.string().min(1),
  currency: z.literal('USD'),
  asOf: z.iso.date(),
  note: z.string(),
  /** 730 hours, as AWS counts a month. */
  monthSeconds: z.int().positive(),
  prices: z.record(z.enum(NAMES), price),
});
export type PriceFile = z.infer<typeof PriceFile>;

export function readPrices(file: URL = new URL('../prices.json', import.meta.url)): PriceFile {
  return PriceFile.parse(JSON.parse(readFileSync(file, 'utf8')));
}
