import { Globs, z } from '@nephometer/core/plugin';

const Labels = z.array(z.string().min(1));

/** One exporter. */
export const Target = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL, such as http://node-1:9100/metrics' }).meta({
    description: 'Where the exporter answers.',
  }),
  name: z.string().min(1).optional().meta({
    description: 'Name of the target, the beginning of its resource ids. Default: host and port of the URL.',
  }),
  project_id: z.string().optional().meta({ description: 'Project that pays, where no label names one.' }),
  user_id: z.string().optional().meta({ description: 'User, where no label names one.' }),
  bearer_token_file: z.string().optional().meta({ description: 'File with a token for the Authorization header.' }),
  username: z.string().optional().meta({ description: 'User name of basic authentication.' }),
  password_file: z.string().optional().meta({ description: 'File with the password of that user.' }),
});
export type Target = z.output<typeof Target>;

/** Options of the prometheus plugin, below `plugins.prometheus`. */
export const PrometheusConfig = z.strictObject({
  targets: z.array(Target).prefault([]).meta({ description: 'The exporters to scrape.' }),
  metrics: Globs.prefault(['*']).meta({
    description: 'Names of metrics to take, as globs; `!` in front leaves out.',
  }),
  prefix: z.string().prefault('').meta({ description: 'Put before each metric name to make the meter name.' }),
  project_label: z.string().optional().meta({ description: 'Label that holds the project.' }),
  user_label: z.string().optional().meta({ description: 'Label that holds the user.' }),
  resource_label: z.string().optional().meta({
    description: 'Label that holds the resource id itself, in place of target and labels.',
  }),
  metadata_labels: Labels.prefault([]).meta({
    description:
      'Labels that only describe: kept in the metadata alone. All other labels make series, so they are part of the resource id.',
  }),
  max_size: z
    .int()
    .min(1024)
    .prefault(67_108_864)
    .meta({ description: 'Largest answer taken from a target, in bytes.' }),
  parallel: z.int().min(1).max(100).prefault(8).meta({ description: 'Targets scraped at the same time.' }),
});
export type PrometheusConfig = z.output<typeof PrometheusConfig>;
