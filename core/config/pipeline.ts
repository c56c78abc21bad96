import { z } from 'zod';
import { MeterPatterns } from './values.ts';

export const Transformer = z.strictObject({
  name: z.enum(['unit_conversion', 'rate_of_change', 'rename', 'metadata']).meta({
    description: 'unit_conversion and rate_of_change as in Ceilometer; rename and metadata are ours.',
  }),
  parameters: z.record(z.string(), z.unknown()).prefault({}).meta({ description: 'Parameters of the transformer.' }),
});
export type Transformer = z.output<typeof Transformer>;

export const PipelineSource = z.strictObject({
  name: z.string().min(1),
  meters: MeterPatterns,
  sinks: z.array(z.string()).min(1),
});

export const PipelineSink = z.strictObject({
  name: z.string().min(1),
  transformers: z.array(Transformer).prefault([]),
  publishers: z.array(z.string()).prefault(['nephometer://']).meta({
    description: 'Where the samples go. `nephometer://` is our bus.',
  }),
});

export const Pipeline = z
  .strictObject({
    sources: z.array(PipelineSource).prefault([{ name: 'all', meters: ['*'], sinks: ['bus'] }]),
    sinks: z.array(PipelineSink).prefault([{ name: 'bus' }]),
  })
  .superRefine((pipeline, context) => {
    const names = new Set(pipeline.sinks.map((sink) => sink.name));
    pipeline.sources.forEach((source, index) => {
      for (const sink of source.sinks.filter((name) => !names.has(name))) {
        const message = `names the sink "${sink}", which is not there; sinks here: ${[...names].join(', ')}`;
        context.addIssue({ code: 'custom', path: ['sources', index, 'sinks'], message, input: source.sinks });
      }
    });
  });
export type Pipeline = z.output<typeof Pipeline>;
