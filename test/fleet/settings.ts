/** What a process of the fleet is told, as a JSON file. */
export interface FleetSettings {
  /** `amqp://...` */
  readonly bus: string;
  readonly namespace: string;
  /** As `agent.resend_after` is written. */
  readonly resendAfter: string;
  /** Resources of each agent; two meters each. */
  readonly resources: number;
  readonly intervalMs: number;
  /** How far the agents' wall clocks are behind, microseconds. */
  readonly clockBehind?: number;
  /** Bytes of metadata a reading. */
  readonly padding?: number;
  /** Polls for this many slots in a row, the last of them now, spools what they give, and ends without a broker. */
  readonly fill?: { readonly slots: number; readonly stepMs: number };
  readonly members: readonly MemberSettings[];
  /** File for the lines of the oracle, one JSON object each. */
  readonly oracle: string;
}

export interface MemberSettings {
  readonly id: string;
  /** As `nephometer key issue` writes it. */
  readonly keyFile: string;
  readonly dataDir: string;
}

/** Readings that a pollster was about to give: `[resource, meter, volume, issue]`. */
export interface IssuedLine {
  readonly kind: 'issued';
  readonly agent: string;
  readonly readings: readonly (readonly [string, string, string, string])[];
}

/** A batch that a spool has taken. */
export interface SpooledLine {
  readonly kind: 'spooled';
  readonly agent: string;
  readonly digest: string;
  readonly epoch: string;
  readonly seq: number;
  /** message_ids. */
  readonly ids: readonly string[];
}

/** The process ended by itself; how many batches each agent's spool still held. */
export interface EndedLine {
  readonly kind: 'ended';
  readonly left: Readonly<Record<string, number>>;
}

export type OracleLine = IssuedLine | SpooledLine | EndedLine;
