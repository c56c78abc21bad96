/** What the synthetic pollster measures. The judge works out every value again, from what names the reading alone. */
export const METERS = {
  'chaos.counter': { unit: 'ns', type: 'cumulative', description: 'Grows with time, beyond the largest exact double.' },
  'chaos.level': { unit: 'GiB', type: 'gauge', description: 'A decimal whose last digit is a zero that must survive.' },
  'chaos.requests': { unit: 'request', type: 'delta', description: 'A small whole number.' },
  'steady.level': { unit: 'GiB', type: 'gauge', description: 'Of the pollster that never misbehaves.' },
} as const;
/** Meters of the pollster that may be told to misbehave. */
export const UNSTEADY = ['chaos.counter', 'chaos.level', 'chaos.requests'] as const;
export type ChaosMeter = keyof typeof METERS;

/** One line of the oracle's file: a reading that the pollster was about to give. */
export interface Issued {
  /** Run of the pollster and number of the poll, `RUN.NUMBER`: no two polls anywhere have one. */
  readonly issue: string;
  readonly resource: string;
  readonly meter: string;
  /** The decimal literal. */
  readonly value: string;
  /** Milliseconds since the epoch, by the agent's own clock. */
  readonly at: number;
}

/** The literal that a meter of a resource has at a moment (milliseconds). */
export function valueOf(meter: ChaosMeter, resource: string, at: number): string {
  const own = fingerprint(`${meter} ${resource}`);
  if (meter === 'chaos.counter') return String(BigInt(at) * 1_000_000n + BigInt(own % 1_000_000));
  if (meter === 'chaos.level') return `${own % 1000}.${String(at % 1000).padStart(3, '0')}0`;
  if (meter === 'steady.level') return `${own % 10}.5`;
  return String((Math.floor(at / 1000) + own) % 97);
}

/** FNV-1a, 32 bits. */
function fingerprint(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
