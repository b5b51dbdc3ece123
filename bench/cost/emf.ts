/** Metrics in the embedded format, as CloudWatch takes them out of a Lambda's log. */
import * as z from 'zod';

const Line = z.looseObject({
  _aws: z.looseObject({
    CloudWatchMetrics: z.array(
      z.looseObject({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.looseObject({ Name: z.string() })),
      }),
    ),
  }),
});

/** One text per metric that is billed: its name with the values of its dimensions. */
export function emfMetrics(log: string): readonly string[] {
  const found = new Set<string>();
  for (const text of log.split('\n').filter((line) => line.includes('"_aws"'))) {
    const line = Line.parse(JSON.parse(text.slice(text.indexOf('{'))));
    for (const { Namespace, Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
      for (const names of Dimensions.length === 0 ? [[]] : Dimensions) {
        const values = names.map((name) => `${name}=${String(line[name])}`).join(',');
        for (const { Name } of Metrics) found.add(`${Namespace}/${Name}{${values}}`);
      }
    }
  }
  return [...found];
}
