import type { Measured, MeterName } from './meters.ts';

/** What is not known is not measured. */
export function present(meter: MeterName, volume: bigint | string | null): Measured[] {
  return volume === null ? [] : [{ meter, volume }];
}
