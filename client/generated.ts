/* Written by `npm run docs` from the OpenAPI document; do not edit. */
import { Transport } from './transport.ts';
import type { CallOptions, OperationShape } from './transport.ts';

export type AgentsAnswer = {
  readonly agents: readonly ({
    readonly agent_id: string;
    readonly state: 'ok' | 'late' | 'silent' | 'never-seen' | 'cloned';
    readonly expected: boolean;
    readonly last_batch: {
      readonly recorded_at: string;
      readonly epoch: string | null;
      readonly seq: number | null;
      readonly key_id: string | null;
    } | null;
    /** Seconds. */
    readonly interval: number | null;
    /** Seconds. */
    readonly lag: number | null;
    /** Seconds. */
    readonly clock_skew: number | null;
    readonly batches: number;
    readonly samples: number;
    /** Sequence numbers that the ledger has not, of all epochs. */
    readonly missing: number;
    readonly quarantined: number;
    readonly cloned_at: string | null;
    readonly epochs: readonly {
      readonly epoch: string;
      readonly first_recorded_at: string;
      readonly last_recorded_at: string;
      readonly last_created: string;
      readonly last_seq: number;
      readonly missing: number;
      readonly missing_seqs: readonly (readonly [number, number])[];
    }[];
  })[];
};

export type ChangeAnswer = {
  readonly id: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly causes: readonly ('late' | 'void' | 'conflict' | 'definition')[];
  readonly before: LineAnswer | null;
  readonly after: LineAnswer | null;
};

export type ChangesAnswer = {
  readonly changes: readonly ChangeAnswer[];
  /** For the next call, also when nothing changed. */
  readonly cursor: string;
  /** Whether the next call has more of these changes. */
  readonly more: boolean;
  readonly as_of: Time;
};

export type ConflictsAnswer = {
  readonly conflicts: readonly ({
    readonly message_id: string;
    readonly versions: readonly {
      /** The same reading sent twice keeps it. */
      readonly message_id: string;
      /** Which cloud. */
      readonly source: string;
      /** The meter. */
      readonly counter_name: string;
      readonly counter_type: 'gauge' | 'delta' | 'cumulative';
      readonly counter_unit: string | null;
      /** Exact decimal. */
      readonly counter_volume: string;
      readonly user_id: string | null;
      /** Who pays. */
      readonly project_id: string | null;
      /** The thing measured. */
      readonly resource_id: string;
      /** When it was true, by the sender's clock. */
      readonly timestamp: string;
      readonly resource_metadata: Readonly<Record<string, unknown>>;
      /** When it was stored. */
      readonly recorded_at: string;
      /** When the poll was due; null from senders other than our agents. */
      readonly slot: string | null;
      /** Who measured. */
      readonly agent_id: string | null;
      /** The agent's run. */
      readonly epoch: string | null;
      /** The number of its batch within the epoch. */
      readonly seq: number | null;
      /** The key that it is signed with. */
      readonly key_id: string | null;
      readonly batch_digest: string;
    }[];
  })[];
  readonly next: string | null;
};

export type CoverageAnswer = {
  readonly by: 'agent' | 'source' | 'meter' | 'resource';
  readonly from: Time;
  readonly to: Time;
  readonly as_of: Time;
  readonly settled: boolean;
  readonly coverage: readonly ({
    readonly agent_id?: string | null | undefined;
    readonly source?: string | undefined;
    readonly meter?: string | undefined;
    readonly resource_id?: string | null | undefined;
    readonly state?: 'measured' | 'never-seen' | undefined;
    readonly expected?: boolean | undefined;
    /** Exact decimal. */
    readonly coverage: string | null;
    readonly basis: string;
    readonly gaps: readonly {
      readonly from: Time;
      readonly to: Time;
      readonly reason: string;
    }[];
  })[];
};

export type CreateStatementsAnswer = {
  readonly statements: readonly ({
    readonly statement_id: string;
    readonly project_id: string | null;
    readonly from: string;
    readonly to: string;
    readonly tz: string;
    readonly window: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month';
    readonly as_of: string;
    /** When it was closed. */
    readonly recorded_at: string;
    /** False for a moment after closing, while another server may turn out to have been first. */
    readonly settled: boolean;
    readonly definitions: readonly {
      readonly name: string;
      readonly hash: string;
    }[];
    readonly min_coverage: string | null;
    /** Lines below `min_coverage`. */
    readonly flagged: number;
    /** What no line can show; the statement says what. */
    readonly warnings: number;
    readonly lines: number;
    readonly digest: string;
    readonly key_id: string;
    /** Name of the token, or of the schedule. */
    readonly by: string;
    readonly created: boolean;
  })[];
  /** Projects that have no statement now, and why; also those of which nothing was measured, though lists of an inventory name them, or an agent was not heard and they had lines before. The status does not tell: only an empty list says that everything is closed. Of one project alone the answer is an error. */
  readonly refused: readonly ({
    readonly project_id: string | null;
    readonly reason: string;
    readonly lines: readonly {
      readonly definition: string;
      readonly line: string;
      readonly coverage: string | null;
    }[];
  })[];
};

export type CreateStatementsRequest = {
  /** Null: what belongs to nobody known. Absent: one statement for each project that used anything. */
  readonly project_id?: string | null | undefined;
  /** A calendar month in `tz`; or `from` and `to`. */
  readonly period?: string | undefined;
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from?: string | undefined;
  /** Last instant, excluded, likewise. */
  readonly to?: string | undefined;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** Calendar windows, one line each. */
  readonly window?: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month' | undefined;
  /** Where billing months start: `31`, `31T06:30` or any start, local. In shorter months the last day. */
  readonly anchor?: string | undefined;
  /** Default: what each definition groups by. */
  readonly group_by?: string | readonly string[] | undefined;
  /** Names. Default: all in force. */
  readonly definitions?: readonly string[] | undefined;
  /** As it was known at that moment. Default: the newest that is settled. */
  readonly as_of?: string | undefined;
  /** Least coverage of every line. */
  readonly min_coverage?: string | undefined;
  /** What becomes of a statement with a line below `min_coverage`, or when an agent that was expected was not heard in the period at all: none is made, or it says so. */
  readonly below?: 'refuse' | 'flag' | undefined;
};

export type DefinitionAnswer = {
  readonly name: string;
  readonly description: string;
  readonly meter: string;
  readonly kind: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct';
  readonly unit: string | null;
  /** What figures are multiplied by; or that by unit of the samples. */
  readonly conversion: string | Readonly<Record<string, string>>;
  readonly group_by: readonly string[];
  readonly rounding: {
    readonly where: 'sample' | 'resource' | 'period';
    readonly how: 'ceil' | 'floor' | 'half-up' | 'half-even';
    /** Rounded to a multiple of this: `1`, `0.01`, `1/60`. */
    readonly to: string;
    /** Exact decimal. */
    readonly minimum: string | null;
  } | null;
  readonly max_hold: string | null;
  readonly edge: 'interpolate' | 'end';
  readonly step: string;
  /** Exact decimal. */
  readonly floor: string | null;
  /** Exact decimal. */
  readonly ceiling: string | null;
  /** SHA-256 of what the definition says. */
  readonly hash: string;
  /** From when on the name stands for this. */
  readonly since: Time;
};

export type DefinitionsAnswer = {
  readonly definitions: readonly DefinitionAnswer[];
};

export type DiffAnswer = {
  readonly changes: readonly ChangeAnswer[];
  readonly next: string | null;
  readonly from_as_of: Time;
  readonly to_as_of: Time;
  readonly settled: boolean;
  readonly definition: {
    readonly before: {
      readonly name: string | null;
      /** SHA-256 of what the definition says. */
      readonly hash: string;
    };
    readonly after: {
      readonly name: string | null;
      /** SHA-256 of what the definition says. */
      readonly hash: string;
    };
  };
};

export type EvidenceAnswer = {
  readonly message_id: string;
  readonly key_id: string | null;
  readonly recorded_at: string;
  readonly slot: string | null;
  /** The signed metering message, byte for byte as received. */
  readonly text: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly batch: {
    readonly digest: string;
    readonly index: number;
    readonly agent_id: string | null;
    readonly epoch: string | null;
    readonly seq: number | null;
    readonly merkle_root: string | null;
    /** Number of samples beneath the root. */
    readonly samples: number | null;
    /** Hashes from the leaf up to merkle_root; null without a header, or where other samples of the batch are gone. */
    readonly proof: readonly string[] | null;
    /** For admins: its cycle reports name resources of every project. */
    readonly header: Readonly<Record<string, unknown>> | null;
    readonly header_text: string | null;
  };
};

export type ExportHeadAnswer = {
  readonly id: string;
  /** When it was asked for first. */
  readonly recorded_at: string;
  readonly as_of: string;
  readonly from: string;
  readonly to: string;
  readonly window: string;
  readonly tz: string;
  readonly definitions: readonly {
    readonly name: string;
    readonly hash: string;
  }[];
  readonly format: 'csv' | 'ndjson' | 'parquet';
  readonly shape: 'usage' | 'focus';
  readonly partition: 'none' | 'day' | 'month';
  /** Whether this server has another encoding or time zone database, and would refuse its files. */
  readonly outdated: boolean;
  /** As the request spelled it. */
  readonly asked: Readonly<Record<string, unknown>>;
};

export type ExportManifestAnswer = {
  readonly kind: 'nephometer-export';
  readonly version: 1;
  readonly id: string;
  readonly generator: {
    readonly name: string;
    readonly version: string;
  };
  readonly question: {
    /** As the request spelled it. */
    readonly asked: Readonly<Record<string, unknown>>;
    readonly definitions: readonly {
      /** Of a quantity without a name, `KIND(METER)`. */
      readonly name: string;
      readonly hash: string;
      readonly meter: string;
      readonly kind: string;
      readonly unit: string | null;
      /** Whether lines sum to what the whole period has. */
      readonly additive: boolean;
      readonly group_by: readonly string[];
    }[];
    readonly from: string;
    readonly to: string;
    readonly window: string;
    readonly tz: string;
    readonly tzdata: string;
  };
  /** Series with samples in the period that a definition has no answer for. */
  readonly skipped: readonly {
    readonly definition: string;
    readonly reason: 'type' | 'unit';
    readonly type: string;
    readonly unit: string | null;
    readonly series: number;
  }[];
  readonly as_of: string;
  readonly settled: true;
  readonly format: 'csv' | 'ndjson' | 'parquet';
  readonly shape: 'usage' | 'focus';
  readonly schema: {
    readonly columns: readonly {
      readonly name: string;
      readonly type: 'string' | 'timestamp' | 'decimal' | 'integer';
      readonly nullable: boolean;
      readonly description: string;
    }[];
    /** FOCUS metadata, of `focus` only. */
    readonly focus?: Readonly<Record<string, unknown>> | undefined;
  };
  readonly partition: 'none' | 'day' | 'month';
  readonly part_rows: number;
  /** Before the name of a file: where its bytes are. */
  readonly parts: string;
  readonly partitions: readonly ExportPartitionAnswer[];
  readonly rows: number;
  readonly bytes: number;
  /** Over all partitions, by definition and unit. */
  readonly totals: readonly {
    readonly definition: string;
    readonly unit: string | null;
    readonly rows: number;
    /** Rows without a quantity: nothing was read, which is not zero. */
    readonly unknown: number;
    /** Exact decimal. */
    readonly quantity: string;
    /** Exact decimal. */
    readonly lower: string | null;
    /** Exact decimal. */
    readonly upper: string | null;
  }[];
  readonly completeness: {
    /** Rows measured without a gap. */
    readonly full: number;
    readonly part: number;
    readonly unknown: number;
    /** Exact decimal. */
    readonly lowest_coverage: string | null;
    readonly gaps: number;
    readonly gap_reasons: Readonly<Record<string, number>>;
    /** Rows by finality. */
    readonly finality: Readonly<Record<string, number>>;
  };
  /** SHA-256 of this document as compact JSON without `digest`. */
  readonly digest: string;
};

export type ExportPartitionAnswer = {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly rows: number;
  readonly bytes: number;
  readonly parts: readonly {
    readonly file: string;
    readonly rows: number;
    readonly bytes: number;
    readonly sha256: string;
  }[];
  readonly totals: readonly {
    readonly definition: string;
    readonly unit: string | null;
    readonly rows: number;
    /** Rows without a quantity: nothing was read, which is not zero. */
    readonly unknown: number;
    /** Exact decimal. */
    readonly quantity: string;
    /** Exact decimal. */
    readonly lower: string | null;
    /** Exact decimal. */
    readonly upper: string | null;
  }[];
  readonly completeness: {
    /** Rows measured without a gap. */
    readonly full: number;
    readonly part: number;
    readonly unknown: number;
    /** Exact decimal. */
    readonly lowest_coverage: string | null;
    readonly gaps: number;
    readonly gap_reasons: Readonly<Record<string, number>>;
    /** Rows by finality. */
    readonly finality: Readonly<Record<string, number>>;
  };
};

export type ExportPlanAnswer = {
  readonly kind: 'nephometer-export';
  readonly version: 1;
  readonly id: string;
  readonly generator: {
    readonly name: string;
    readonly version: string;
  };
  readonly question: {
    /** As the request spelled it. */
    readonly asked: Readonly<Record<string, unknown>>;
    readonly definitions: readonly {
      /** Of a quantity without a name, `KIND(METER)`. */
      readonly name: string;
      readonly hash: string;
      readonly meter: string;
      readonly kind: string;
      readonly unit: string | null;
      /** Whether lines sum to what the whole period has. */
      readonly additive: boolean;
      readonly group_by: readonly string[];
    }[];
    readonly from: string;
    readonly to: string;
    readonly window: string;
    readonly tz: string;
    readonly tzdata: string;
  };
  /** Series with samples in the period that a definition has no answer for. */
  readonly skipped: readonly {
    readonly definition: string;
    readonly reason: 'type' | 'unit';
    readonly type: string;
    readonly unit: string | null;
    readonly series: number;
  }[];
  readonly as_of: string;
  readonly settled: true;
  readonly format: 'csv' | 'ndjson' | 'parquet';
  readonly shape: 'usage' | 'focus';
  readonly schema: {
    readonly columns: readonly {
      readonly name: string;
      readonly type: 'string' | 'timestamp' | 'decimal' | 'integer';
      readonly nullable: boolean;
      readonly description: string;
    }[];
    /** FOCUS metadata, of `focus` only. */
    readonly focus?: Readonly<Record<string, unknown>> | undefined;
  };
  readonly partition: 'none' | 'day' | 'month';
  readonly part_rows: number;
  /** Before the name of a file: where its bytes are. */
  readonly parts: string;
  readonly partitions: readonly {
    readonly name: string;
    readonly from: string;
    readonly to: string;
  }[];
};

export type ExportRequest = {
  /** Meter name; with `kind`. Or name a `definition`. */
  readonly meter?: string | undefined;
  /** What is asked of the meter. */
  readonly kind?: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct' | undefined;
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from: string;
  /** Last instant, excluded: with a zone, or a local date or time in `tz`. */
  readonly to: string;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** Calendar windows, one line each. */
  readonly window?: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month' | undefined;
  /** Where billing months start: `31`, `31T06:30` or any start, local. In shorter months the last day. */
  readonly anchor?: string | undefined;
  /** project_id, user_id, resource_id, source, metadata.PATH; repeated or comma-separated. */
  readonly group_by?: string | readonly string[] | undefined;
  /** Any of these; may be repeated. Empty: not known. */
  readonly project_id?: string | null | readonly (string | null)[] | undefined;
  readonly user_id?: string | null | readonly (string | null)[] | undefined;
  readonly resource_id?: string | null | readonly (string | null)[] | undefined;
  readonly source?: string | null | readonly (string | null)[] | undefined;
  /** `metadata.PATH=value`: what was in force at each instant, as text. */
  readonly metadata?: Readonly<Record<string, string | null | readonly (string | null)[]>> | undefined;
  /** A settled moment. Default: the newest. */
  readonly as_of?: string | undefined;
  /** Longest that a reading holds: `20m`, `PT20M`. Default: twice the reported interval, 1h where none is known. */
  readonly max_hold?: string | undefined;
  /** How a counter's step across an edge is split. */
  readonly edge?: 'interpolate' | 'end' | undefined;
  /** Of p95: what is averaged over before it is ranked. Default: 5m. */
  readonly step?: string | undefined;
  /** WHERE,HOW,TO[,MINIMUM]: sample, resource or period; ceil, floor, half-up, half-even; a multiple of. */
  readonly rounding?: string | {
    /** What is rounded: each sample, what each resource has, or the line. */
    readonly where: 'sample' | 'resource' | 'period';
    readonly how: 'ceil' | 'floor' | 'half-up' | 'half-even';
    /** Rounded to a multiple of this: 1, 0.01, or 1/60 (of an hour: a minute). */
    readonly to: string;
    /** What is more than zero counts as at least this. */
    readonly minimum?: string | null | undefined;
  } | undefined;
  /** `previous`: `estimated` says what it were, had the reading before each gap gone on. */
  readonly estimate?: 'none' | 'previous' | undefined;
  /** Least that a gap may hide, in the unit of the result: of a gauge its level, of counters growth an hour. */
  readonly floor?: string | number | undefined;
  /** Most that a gap may hide, likewise; without it `upper` may be null. */
  readonly ceiling?: string | number | undefined;
  /** A line of which a smaller share was measured has no figure: `quantity` is null. 0 to 1. */
  readonly min_coverage?: string | number | undefined;
  /** `linear`: `projected` says what the line that is not over would come to, did it go on as so far. */
  readonly projection?: 'none' | 'linear' | undefined;
  /** Up to when. Default: the end of the window that the period ends in; without windows, of the month. */
  readonly project_to?: string | undefined;
  /** In CSV, `'` before texts that a spreadsheet would take for a formula. */
  readonly guard_formulas?: boolean | undefined;
  /** Named quantities; without a `meter`, all that are in force if missing. */
  readonly definitions?: string | readonly string[] | undefined;
  readonly format?: 'csv' | 'ndjson' | 'parquet' | undefined;
  /** `usage`: lines as /v1/usage has them. `focus`: the columns of FOCUS 1.2 that a meter can fill. */
  readonly shape?: 'usage' | 'focus' | undefined;
  /** Lines whose windows start on one local day, or in one local month, make a partition. */
  readonly partition?: 'none' | 'day' | 'month' | undefined;
  /** Most rows of one file. */
  readonly part_rows?: number | undefined;
  /** RegionId of `focus` rows, where no group says it (`metadata.region`). */
  readonly region?: string | undefined;
};

export type ExportsAnswer = {
  readonly exports: readonly ExportHeadAnswer[];
  readonly next: string | null;
};

export type GapAnswer = {
  readonly from: Time;
  readonly to: Time;
  readonly reason: string;
  readonly resource_id?: string | undefined;
  readonly source?: string | undefined;
};

export type IdentityAnswer = {
  readonly name: string;
  readonly role: 'admin' | 'reader' | 'writer';
  readonly projects: readonly string[] | null;
  readonly user_id: string | null;
};

export type IngestResults = readonly {
  readonly message_id: string | null;
  readonly outcome: 'accepted' | 'duplicate' | 'refused';
  readonly reason?: 'malformed' | 'field' | 'volume' | 'timestamp' | 'signature' | 'key' | 'revoked' | 'agent' | 'merkle' | 'message_id' | 'headerless' | 'future' | 'past' | 'oversized' | 'conflict' | 'poison' | undefined;
  readonly detail?: string | undefined;
}[];

export type KeyChangeAnswer = {
  readonly action: 'rotate' | 'revoke';
  readonly key_id: string;
  readonly agent_id: string | null;
  readonly next_key_id: string | null;
  readonly valid_until: string | null;
  readonly by: string;
  readonly why: string;
};

export type KeysAnswer = {
  readonly keys: readonly {
    readonly key_id: string;
    readonly agent_id: string | null;
    readonly kind: 'shared' | 'derived' | 'listed';
    readonly state: 'valid' | 'not-yet' | 'retiring' | 'revoked';
    readonly valid_from: string | null;
    readonly valid_until: string | null;
    readonly last_used: string | null;
    readonly by: string | null;
    readonly why: string | null;
  }[];
};

export type LedgerAnswer = {
  readonly batches: readonly {
    readonly digest: string;
    readonly recorded_at: string;
    readonly agent_id: string | null;
    readonly epoch: string | null;
    readonly seq: number | null;
    readonly key_id: string | null;
    readonly transport: string;
    readonly samples: number;
    readonly duplicates: number;
    readonly header?: Readonly<Record<string, unknown>> | null | undefined;
  }[];
  readonly next: string | null;
};

export type LineAnswer = {
  /** Stable: of the same question, period and group always the same. */
  readonly id: string;
  readonly from: Time;
  readonly to: Time;
  /** Null: not known. */
  readonly group: Readonly<Record<string, string | null>>;
  /** Null where nothing at all was read: unknown, not zero. */
  readonly quantity: string | null;
  readonly unit: string | null;
  /** The least it can be, whatever gaps and resets hide; null: no bound. */
  readonly lower: string | null;
  /** Exact decimal. */
  readonly upper: string | null;
  /** With the gaps filled by the policy asked for. */
  readonly estimated: string | null;
  /** Exact decimal. */
  readonly unrounded?: string | null | undefined;
  /** By the policy asked for; null where the line is over, or does not grow with time. */
  readonly projected?: {
    readonly to: Time;
    /** Exact decimal. */
    readonly quantity: string;
    /** What was used so far at least. */
    readonly lower: string | null;
    /** Nothing bounds what is to come. */
    readonly upper: null;
  } | null | undefined;
  /** 0 to 1, of the time in which the resources existed. */
  readonly coverage: string | null;
  /** What coverage stands on: cycle reports, the usual interval of senders without them, or nothing. */
  readonly basis: 'cycles' | 'cadence' | 'mixed' | 'none';
  readonly resets: number;
  readonly samples: number;
  /** Newest recorded_at beneath the line. */
  readonly revision: Time | null;
  readonly finality: 'provisional' | 'closed' | 'adjusted';
  readonly gaps?: readonly GapAnswer[] | undefined;
  /** Where the samples beneath are listed. */
  readonly evidence?: string | undefined;
};

export type ListFindingsAnswer = {
  readonly findings: readonly {
    readonly finding: 'never-sampled' | 'not-sampled-then' | 'never-answered' | 'unknown-resource';
    readonly meter: string | null;
    readonly resource_id: string;
    readonly project_id: string | null;
    readonly source: string | null;
    /** Null where a discovery found it. */
    readonly list: string | null;
    /** Whose discovery found it. */
    readonly agent_id: string | null;
    /** Why its last reading failed. */
    readonly reason: string | null;
    /** Lists, or ticks, that show it. */
    readonly times: number;
    /** The first of them. */
    readonly first: Time;
    readonly last: Time;
    readonly first_sample: Time | null;
    readonly last_sample: Time | null;
  }[];
  readonly next: string | null;
  /** Lists of resources that are of the period. None: nothing is known to compare with. */
  readonly lists: number;
  readonly from: Time;
  readonly to: Time;
  readonly as_of: Time;
  readonly settled: boolean;
};

export type ListInventoryAnswer = {
  readonly lists: readonly PostInventoryAnswer[];
  readonly as_of: Time;
};

export type ListStatementsAnswer = {
  readonly statements: readonly ({
    readonly statement_id: string;
    readonly project_id: string | null;
    readonly from: string;
    readonly to: string;
    readonly tz: string;
    readonly window: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month';
    readonly as_of: string;
    /** When it was closed. */
    readonly recorded_at: string;
    /** False for a moment after closing, while another server may turn out to have been first. */
    readonly settled: boolean;
    readonly definitions: readonly {
      readonly name: string;
      readonly hash: string;
    }[];
    readonly min_coverage: string | null;
    /** Lines below `min_coverage`. */
    readonly flagged: number;
    /** What no line can show; the statement says what. */
    readonly warnings: number;
    readonly lines: number;
    readonly digest: string;
    readonly key_id: string;
    /** Name of the token, or of the schedule. */
    readonly by: string;
  })[];
  readonly next: string | null;
};

export type MessagesAnswer = {
  readonly results: IngestResults;
};

export type MessagesRequest = readonly {
  readonly message_id: string;
  readonly source: string;
  readonly counter_name: string;
  readonly counter_type: 'gauge' | 'delta' | 'cumulative';
  readonly counter_unit: string | null;
  /** Kept as the literal that was sent. */
  readonly counter_volume: number | string;
  readonly user_id?: string | null | undefined;
  readonly project_id?: string | null | undefined;
  readonly resource_id: string;
  readonly timestamp: string;
  readonly resource_metadata?: Readonly<Record<string, unknown>> | null | undefined;
  readonly message_signature: string;
}[] | {
  readonly message_id: string;
  readonly source: string;
  readonly counter_name: string;
  readonly counter_type: 'gauge' | 'delta' | 'cumulative';
  readonly counter_unit: string | null;
  /** Kept as the literal that was sent. */
  readonly counter_volume: number | string;
  readonly user_id?: string | null | undefined;
  readonly project_id?: string | null | undefined;
  readonly resource_id: string;
  readonly timestamp: string;
  readonly resource_metadata?: Readonly<Record<string, unknown>> | null | undefined;
  readonly message_signature: string;
} | {
  readonly 'oslo.version': string;
  readonly 'oslo.message': string;
};

export type NewTokenAnswer = {
  readonly name: string;
  readonly role: 'admin' | 'reader' | 'writer';
  readonly projects: readonly string[] | null;
  readonly user_id: string | null;
  readonly id: string;
  /** Shown this once. */
  readonly token: string;
};

export type NewVoidAnswer = {
  readonly id: string;
  /** From this moment on reads do not show the samples. */
  readonly recorded_at: Time;
  /** Samples recorded so far that match all of this. */
  readonly selector: {
    readonly message_id?: string | undefined;
    readonly agent_id?: string | undefined;
    readonly source?: string | undefined;
    readonly meter?: string | undefined;
    readonly resource_id?: string | undefined;
    readonly project_id?: string | undefined;
    /** First instant, included. */
    readonly from?: string | undefined;
    /** Last instant, excluded. */
    readonly to?: string | undefined;
  };
  readonly reason: string;
  readonly who: string;
  /** Name of the token that was used. */
  readonly by: string;
  /** How many samples it took out. 0: nothing matched; is there a slip of the pen? */
  readonly samples: number;
  /** Whether there may be more than were counted. */
  readonly more: boolean;
};

/** See spec.openapis.org. */
export type OpenApiAnswer = {
  readonly openapi: string;
};

export type PostInventoryAnswer = {
  readonly name: string;
  readonly at: Time;
  readonly recorded_at: Time;
  readonly agents: readonly string[] | null;
  /** How many it names; null where it is not of resources. */
  readonly resources: number | null;
  readonly meters: readonly string[];
  readonly source: string | null;
  readonly complete: boolean;
  readonly who: string;
  readonly by: string;
};

export type PostInventoryRequest = {
  /** What the list is called: one name for each kind of list, such as `instances`. */
  readonly name: string;
  /** When it was true. Default: now. */
  readonly at?: string | undefined;
  /** Agents that must be heard from `at` on, up to the next list of this name. */
  readonly agents?: readonly string[] | undefined;
  /** Resources that were there at `at`: ids, or ids with their owners. */
  readonly resources?: readonly (string | {
    readonly resource_id: string;
    readonly project_id?: string | null | undefined;
  })[] | undefined;
  /** Of a list of resources: the meters that each of them must have samples of. */
  readonly meters?: readonly string[] | undefined;
  /** The source that the samples are of. Default: any. */
  readonly source?: string | undefined;
  /** Whether a resource that is sampled and not in the list was not there. */
  readonly complete?: boolean | undefined;
  /** Default: the name of the token. */
  readonly who?: string | undefined;
};

/** What went wrong (RFC 9457). */
export type Problem = {
  readonly type: string;
  /** The name of the status. */
  readonly title: string;
  readonly status: number;
  /** What was found, where, and what would be right. */
  readonly detail: string;
  /** The path that was asked. */
  readonly instance: string;
  /** Stable; for programs. */
  readonly code: string;
};

export type QuarantineAnswer = {
  readonly quarantine: readonly QuarantineEntry[];
  readonly next: string | null;
};

export type QuarantineEntry = {
  readonly reason: 'malformed' | 'field' | 'volume' | 'timestamp' | 'signature' | 'key' | 'revoked' | 'agent' | 'merkle' | 'message_id' | 'headerless' | 'future' | 'past' | 'oversized' | 'conflict' | 'poison';
  readonly detail: string;
  readonly transport: string;
  readonly sender: string;
  readonly agent_id: string | null;
  readonly message_id: string | null;
  readonly samples: number;
  readonly messages?: number | undefined;
  readonly size: number;
  readonly state: 'refused' | 'replayed';
  readonly id: string;
  readonly recorded_at: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly received: string;
};

export type QuarantineLineAnswer = {
  readonly id: string;
  readonly from: Time;
  readonly to: Time;
  readonly group: Readonly<Record<string, string | null>>;
  readonly unit: string | null;
  /** As GET /v1/usage has it; null where there is no such line. */
  readonly quantity: string | null;
  /** What all refused messages together would add. */
  readonly in_quarantine: string | null;
  /** Exact decimal. */
  readonly with_quarantine: string | null;
  /** What those of one reason alone would add; they need not add up. */
  readonly by_reason: Readonly<Record<string, string>>;
};

export type QuarantineMessageAnswer = {
  readonly reason: 'malformed' | 'field' | 'volume' | 'timestamp' | 'signature' | 'key' | 'revoked' | 'agent' | 'merkle' | 'message_id' | 'headerless' | 'future' | 'past' | 'oversized' | 'conflict' | 'poison';
  readonly detail: string;
  readonly transport: string;
  readonly sender: string;
  readonly agent_id: string | null;
  readonly message_id: string | null;
  readonly samples: number;
  readonly messages?: number | undefined;
  readonly size: number;
  readonly state: 'refused' | 'replayed';
  readonly id: string;
  readonly recorded_at: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly received: string;
  /** Base64. */
  readonly bytes: string;
};

export type QuarantineUsageAnswer = {
  /** Only those that refused messages bear on. */
  readonly lines: readonly QuarantineLineAnswer[];
  readonly next: string | null;
  /** Refused messages of the period that were not let in later. */
  readonly refused: readonly {
    readonly reason: string;
    readonly messages: number;
    /** Of the meter, as far as they can be read. */
    readonly samples: number;
    /** Nothing of them can be read: no line has them. */
    readonly unreadable_messages: number;
    /** Of any meter. */
    readonly unreadable_samples: number;
  }[];
  readonly as_of: Time;
  readonly settled: boolean;
  readonly from: Time;
  readonly to: Time;
  readonly meter: string;
  readonly kind: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct';
  readonly definition: {
    readonly name: string | null;
    /** SHA-256 of what the definition says. */
    readonly hash: string;
  };
};

export type ReplayAnswer = {
  readonly id: string;
  readonly state: 'refused' | 'replayed';
  readonly via: 'ingest' | 'bus';
  /** What became of each message; null by the bus, where a collector judges later. */
  readonly results: IngestResults | null;
};

export type ResolutionAnswer = {
  readonly message_id: string;
  readonly keep: string | null;
  readonly by: string;
  readonly why: string;
  /** From this moment on reads show the version that counts. */
  readonly recorded_at: string;
};

export type ResolveRequest = {
  /** Digest of the batch whose version counts; null: none does. */
  readonly keep: string | null;
  /** The reason, for those who ask later. */
  readonly why?: string | undefined;
};

export type RevokeRequest = {
  /** The agent whose key of that id it is. */
  readonly agent_id?: string | null | undefined;
  /** Every key of that id. */
  readonly all_agents?: boolean | undefined;
  /** From when on it is refused. Default: now. */
  readonly at?: string | undefined;
  /** The reason, for those who ask later. */
  readonly why?: string | undefined;
};

export type RotateRequest = {
  readonly agent_id: string;
  /** How long the key before is accepted beside the new one. */
  readonly retire_after?: string | undefined;
  /** The reason, for those who ask later. */
  readonly why?: string | undefined;
};

export type SampleAnswer = {
  /** The same reading sent twice keeps it. */
  readonly message_id: string;
  /** Which cloud. */
  readonly source: string;
  /** The meter. */
  readonly counter_name: string;
  readonly counter_type: 'gauge' | 'delta' | 'cumulative';
  readonly counter_unit: string | null;
  /** Exact decimal. */
  readonly counter_volume: string;
  readonly user_id: string | null;
  /** Who pays. */
  readonly project_id: string | null;
  /** The thing measured. */
  readonly resource_id: string;
  /** When it was true, by the sender's clock. */
  readonly timestamp: string;
  readonly resource_metadata: Readonly<Record<string, unknown>>;
  /** When it was stored. */
  readonly recorded_at: string;
  /** When the poll was due; null from senders other than our agents. */
  readonly slot: string | null;
  /** Who measured. */
  readonly agent_id: string | null;
  /** The agent's run. */
  readonly epoch: string | null;
  /** The number of its batch within the epoch. */
  readonly seq: number | null;
  /** The key that it is signed with. */
  readonly key_id: string | null;
};

export type SamplesAnswer = {
  readonly samples: readonly SampleAnswer[];
  readonly next: string | null;
};

export type ShowAdjustmentsAnswer = {
  readonly statement_id: string;
  readonly project_id: string | null;
  readonly closed_as_of: string;
  readonly as_of: string;
  readonly settled: boolean;
  readonly policy: {
    readonly name: 'adjust';
    readonly says: string;
  };
  readonly adjustments: readonly {
    readonly definition: string;
    readonly id: string;
    readonly change: 'added' | 'removed' | 'changed';
    readonly causes: readonly ('late' | 'void' | 'conflict' | 'definition')[];
    readonly unit: string | null;
    /** Quantity now less quantity closed. */
    readonly difference: string | null;
    readonly before: LineAnswer | null;
    readonly after: LineAnswer | null;
  }[];
  /** Of all adjustments, not of this page alone. */
  readonly totals: readonly {
    readonly definition: string;
    readonly unit: string | null;
    readonly lines: number;
    /** Exact decimal; null: not known. */
    readonly difference: string | null;
  }[];
  readonly next: string | null;
};

export type ShowFinalityAnswer = {
  readonly project_id: string;
  readonly from: string;
  readonly to: string;
  readonly as_of: string;
  readonly settled: boolean;
  /** `open`: something may still arrive or be decided; `ready`: nothing is awaited; `closed`: there is a statement. */
  readonly state: 'open' | 'ready' | 'closed';
  /** Those that lie within the period or cover it. */
  readonly statements: readonly {
    readonly statement_id: string;
    readonly from: string;
    readonly to: string;
    readonly as_of: string;
    readonly recorded_at: string;
  }[];
  /** Up to here every agent has reported without a hole; null: no agent has. */
  readonly watermark: string | null;
  /** For admins. */
  readonly agents?: readonly {
    readonly agent_id: string;
    readonly watermark: string | null;
    readonly last_tick: string | null;
  }[] | undefined;
  readonly open: readonly {
    readonly reason: string;
    readonly from: string;
    readonly to: string;
    readonly agent_id?: string | undefined;
  }[];
  /** When a schedule of this server closes it. */
  readonly expected_close: string | null;
  /** From here on what agents measured in the period is refused as too old. */
  readonly last_arrival: string;
};

export type ShowStatementAnswer = {
  readonly format: 'nephometer statement 1';
  readonly rules?: number | undefined;
  readonly statement_id: string;
  readonly project_id: string | null;
  readonly from: string;
  readonly to: string;
  readonly tz: string;
  readonly tzdata: string;
  readonly window: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month';
  readonly anchor: string | null;
  readonly as_of: string;
  readonly min_coverage: string | null;
  readonly flagged: readonly {
    readonly definition: string;
    readonly line: string;
    readonly coverage: string | null;
  }[];
  readonly warnings?: readonly {
    readonly warning: 'agent-not-heard' | 'never-sampled' | 'not-sampled-then' | 'unknown-resource';
    readonly meter: string | null;
    readonly count: number;
  }[] | undefined;
  readonly usage: readonly ({
    readonly definition: {
      readonly name: string;
      readonly description: string;
      readonly meter: string;
      readonly kind: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct';
      /** Of the result. Default: what kind and meter give. */
      readonly unit: string | null;
      /** What figures are multiplied by; or that by unit of the samples, others are then left out. */
      readonly conversion: unknown;
      readonly group_by: readonly string[];
      readonly rounding: {
        /** What is rounded: each sample, what each resource has, or the line. */
        readonly where: 'sample' | 'resource' | 'period';
        readonly how: 'ceil' | 'floor' | 'half-up' | 'half-even';
        /** Rounded to a multiple of this: 1, 0.01, or 1/60 (of an hour: a minute). */
        readonly to: unknown;
        /** What is more than zero counts as at least this. */
        readonly minimum: unknown;
      } | null;
      /** Default: twice the reported interval, 1h where none is known. */
      readonly max_hold: unknown;
      readonly edge: 'interpolate' | 'end';
      /** Of p95: what is averaged over before it is ranked. */
      readonly step: unknown;
      /** Least that a gap may hide, in the unit of the result; null for meters that can be negative. */
      readonly floor: unknown;
      /** Most that a gap may hide, likewise; of counters growth an hour. */
      readonly ceiling: unknown;
    };
    readonly hash: string;
    readonly group_by: readonly string[];
    readonly lines: readonly ({
      readonly id: string;
      readonly from: string;
      readonly to: string;
      readonly group: Readonly<Record<string, string | null>>;
      readonly quantity: string | null;
      readonly unit: string | null;
      readonly lower: string | null;
      readonly upper: string | null;
      readonly estimated: string | null;
      readonly unrounded?: string | null | undefined;
      readonly coverage: string | null;
      readonly basis: string;
      readonly resets: number;
      readonly samples: number;
      readonly revision: string | null;
      readonly finality: 'closed';
      readonly gaps: readonly {
        readonly from: string;
        readonly to: string;
        readonly reason: string;
        readonly resource_id: string;
        readonly source: string;
      }[];
    })[];
  })[];
  readonly evidence: {
    readonly digest: string;
    readonly samples: number;
    readonly others: number;
    readonly batches: number;
    readonly losses: number;
    readonly voids: number;
    readonly resolutions?: number | undefined;
    readonly versions?: number | undefined;
    readonly detail: number;
  };
  readonly digest: string;
  readonly signature: {
    readonly algorithm: 'Ed25519';
    readonly key_id: string;
    readonly public_key: string;
    readonly value: string;
  };
};

export type ShowStatementKeyAnswer = {
  readonly algorithm: 'Ed25519';
  readonly key_id: string;
  /** The 32 bytes, base64. */
  readonly public_key: string;
  readonly pem: string;
};

export type Time = string;

export type TokenAnswer = {
  readonly name: string;
  readonly role: 'admin' | 'reader' | 'writer';
  readonly projects: readonly string[] | null;
  readonly user_id: string | null;
  readonly id: string;
  readonly revoked: boolean;
};

export type TokenRequest = {
  /** Name in lists and logs. */
  readonly name: string;
  readonly role: 'admin' | 'reader' | 'writer';
  /** Projects that it may read, or post for. */
  readonly projects?: readonly string[] | null | undefined;
  /** The only user a reader sees; in whose name a writer posts. */
  readonly user_id?: string | null | undefined;
};

export type TokensAnswer = {
  readonly tokens: readonly TokenAnswer[];
};

export type UsageAnswer = {
  readonly lines: readonly LineAnswer[];
  readonly next: string | null;
  readonly as_of: Time;
  /** Whether the same question as of the same moment has the same bytes from now on. */
  readonly settled: boolean;
  readonly from: Time;
  readonly to: Time;
  readonly meter: string;
  readonly kind: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct';
  readonly definition: {
    readonly name: string | null;
    /** SHA-256 of what the definition says. */
    readonly hash: string;
  };
  /** The policy that `estimated` follows. */
  readonly estimate: 'none' | 'previous';
  readonly projection: {
    readonly policy: 'linear';
    readonly to: Time;
  } | null;
  readonly tz: string;
  readonly tzdata: string;
  /** Series of the meter that the kind or the conversion has no answer for. */
  readonly skipped: readonly {
    readonly reason: 'type' | 'unit';
    readonly type: string;
    readonly unit: string | null;
    readonly series: number;
  }[];
  /** What no line can show: that there was never a sample of the meter, agents that had to be heard and were not, resources of the inventory that were not sampled, or sampled and not in it. */
  readonly warnings: readonly {
    readonly warning: 'unknown-meter' | 'agent-not-heard' | 'never-sampled' | 'not-sampled-then' | 'unknown-resource';
    /** Of which no sample was ever seen. */
    readonly meter?: string | undefined;
    /** Meters of a name like it that were. */
    readonly near?: readonly string[] | undefined;
    readonly agents?: number | undefined;
    /** For admins. */
    readonly agent_ids?: readonly string[] | undefined;
    /** See GET /v1/findings. */
    readonly resources?: number | undefined;
  }[];
};

export type UsageFields = {
  /** Meter name; with `kind`. Or name a `definition`. */
  readonly meter?: string | undefined;
  /** A named quantity: see GET /v1/definitions. */
  readonly definition?: string | undefined;
  /** What is asked of the meter. */
  readonly kind?: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct' | undefined;
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from: string;
  /** Last instant, excluded, likewise. Default: `as_of`. */
  readonly to?: string | undefined;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** Calendar windows, one line each. */
  readonly window?: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month' | undefined;
  /** Where billing months start: `31`, `31T06:30` or any start, local. In shorter months the last day. */
  readonly anchor?: string | undefined;
  /** project_id, user_id, resource_id, source, metadata.PATH; repeated or comma-separated. */
  readonly group_by?: string | readonly string[] | undefined;
  /** Any of these; may be repeated. Empty: not known. */
  readonly project_id?: string | null | readonly (string | null)[] | undefined;
  readonly user_id?: string | null | readonly (string | null)[] | undefined;
  readonly resource_id?: string | null | readonly (string | null)[] | undefined;
  readonly source?: string | null | readonly (string | null)[] | undefined;
  /** `metadata.PATH=value`: what was in force at each instant, as text. */
  readonly metadata?: Readonly<Record<string, string | null | readonly (string | null)[]>> | undefined;
  /** As it was known at that moment. Default: now. */
  readonly as_of?: string | undefined;
  /** Longest that a reading holds: `20m`, `PT20M`. Default: twice the reported interval, 1h where none is known. */
  readonly max_hold?: string | undefined;
  /** How a counter's step across an edge is split. */
  readonly edge?: 'interpolate' | 'end' | undefined;
  /** Of p95: what is averaged over before it is ranked. Default: 5m. */
  readonly step?: string | undefined;
  /** WHERE,HOW,TO[,MINIMUM]: sample, resource or period; ceil, floor, half-up, half-even; a multiple of. */
  readonly rounding?: string | {
    /** What is rounded: each sample, what each resource has, or the line. */
    readonly where: 'sample' | 'resource' | 'period';
    readonly how: 'ceil' | 'floor' | 'half-up' | 'half-even';
    /** Rounded to a multiple of this: 1, 0.01, or 1/60 (of an hour: a minute). */
    readonly to: string;
    /** What is more than zero counts as at least this. */
    readonly minimum?: string | null | undefined;
  } | undefined;
  /** `previous`: `estimated` says what it were, had the reading before each gap gone on. */
  readonly estimate?: 'none' | 'previous' | undefined;
  /** Least that a gap may hide, in the unit of the result: of a gauge its level, of counters growth an hour. */
  readonly floor?: string | number | undefined;
  /** Most that a gap may hide, likewise; without it `upper` may be null. */
  readonly ceiling?: string | number | undefined;
  /** A line of which a smaller share was measured has no figure: `quantity` is null. 0 to 1. */
  readonly min_coverage?: string | number | undefined;
  /** `linear`: `projected` says what the line that is not over would come to, did it go on as so far. */
  readonly projection?: 'none' | 'linear' | undefined;
  /** Up to when. Default: the end of the window that the period ends in; without windows, of the month. */
  readonly project_to?: string | undefined;
  /** Whether lines list their gaps, with reasons. */
  readonly gaps?: boolean | 'true' | 'false' | undefined;
  /** Whether lines say where their samples are listed. */
  readonly evidence?: boolean | 'true' | 'false' | undefined;
  /** In CSV, `'` before texts that a spreadsheet would take for a formula. */
  readonly guard_formulas?: boolean | 'true' | 'false' | undefined;
  /** Most lines of the answer. */
  readonly limit?: number | string | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
};

export type VoidAnswer = {
  readonly id: string;
  /** From this moment on reads do not show the samples. */
  readonly recorded_at: Time;
  /** Samples recorded so far that match all of this. */
  readonly selector: {
    readonly message_id?: string | undefined;
    readonly agent_id?: string | undefined;
    readonly source?: string | undefined;
    readonly meter?: string | undefined;
    readonly resource_id?: string | undefined;
    readonly project_id?: string | undefined;
    /** First instant, included. */
    readonly from?: string | undefined;
    /** Last instant, excluded. */
    readonly to?: string | undefined;
  };
  readonly reason: string;
  readonly who: string;
  /** Name of the token that was used. */
  readonly by: string;
};

export type VoidRequest = {
  /** Samples recorded so far that match all of this. */
  readonly selector: {
    readonly message_id?: string | undefined;
    readonly agent_id?: string | undefined;
    readonly source?: string | undefined;
    readonly meter?: string | undefined;
    readonly resource_id?: string | undefined;
    readonly project_id?: string | undefined;
    /** First instant, included. */
    readonly from?: string | undefined;
    /** Last instant, excluded. */
    readonly to?: string | undefined;
  };
  readonly reason: string;
  /** Default: the name of the token. */
  readonly who?: string | undefined;
};

export type VoidsAnswer = {
  readonly voids: readonly VoidAnswer[];
  readonly next: string | null;
};


export interface ShowUsageParameters {
  /** Meter name; with `kind`. Or name a `definition`. */
  readonly meter?: string | undefined;
  /** A named quantity: see GET /v1/definitions. */
  readonly definition?: string | undefined;
  /** What is asked of the meter. */
  readonly kind?: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct' | undefined;
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from: string;
  /** Last instant, excluded, likewise. Default: `as_of`. */
  readonly to?: string | undefined;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** Calendar windows, one line each. */
  readonly window?: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month' | undefined;
  /** Where billing months start: `31`, `31T06:30` or any start, local. In shorter months the last day. */
  readonly anchor?: string | undefined;
  /** project_id, user_id, resource_id, source, metadata.PATH; repeated or comma-separated. */
  readonly group_by?: string | readonly string[] | undefined;
  /** Any of these; may be repeated. Empty: not known. */
  readonly project_id?: string | readonly string[] | undefined;
  readonly user_id?: string | readonly string[] | undefined;
  readonly resource_id?: string | readonly string[] | undefined;
  readonly source?: string | readonly string[] | undefined;
  /** `metadata.PATH=value`: what was in force at each instant, as text. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** As it was known at that moment. Default: now. */
  readonly as_of?: string | undefined;
  /** Longest that a reading holds: `20m`, `PT20M`. Default: twice the reported interval, 1h where none is known. */
  readonly max_hold?: string | undefined;
  /** How a counter's step across an edge is split. */
  readonly edge?: 'interpolate' | 'end' | undefined;
  /** Of p95: what is averaged over before it is ranked. Default: 5m. */
  readonly step?: string | undefined;
  /** WHERE,HOW,TO[,MINIMUM]: sample, resource or period; ceil, floor, half-up, half-even; a multiple of. */
  readonly rounding?: string | undefined;
  /** `previous`: `estimated` says what it were, had the reading before each gap gone on. */
  readonly estimate?: 'none' | 'previous' | undefined;
  /** Least that a gap may hide, in the unit of the result: of a gauge its level, of counters growth an hour. */
  readonly floor?: string | number | undefined;
  /** Most that a gap may hide, likewise; without it `upper` may be null. */
  readonly ceiling?: string | number | undefined;
  /** A line of which a smaller share was measured has no figure: `quantity` is null. 0 to 1. */
  readonly min_coverage?: string | number | undefined;
  /** `linear`: `projected` says what the line that is not over would come to, did it go on as so far. */
  readonly projection?: 'none' | 'linear' | undefined;
  /** Up to when. Default: the end of the window that the period ends in; without windows, of the month. */
  readonly project_to?: string | undefined;
  /** Whether lines list their gaps, with reasons. */
  readonly gaps?: boolean | undefined;
  /** Whether lines say where their samples are listed. */
  readonly evidence?: boolean | undefined;
  /** In CSV, `'` before texts that a spreadsheet would take for a formula. */
  readonly guard_formulas?: boolean | undefined;
  /** Most lines of the answer. */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
}

export interface AskUsageParameters {
  readonly body: UsageFields;
}

export interface ShowQuarantineUsageParameters {
  /** Meter name; with `kind`. Or name a `definition`. */
  readonly meter?: string | undefined;
  /** A named quantity: see GET /v1/definitions. */
  readonly definition?: string | undefined;
  /** What is asked of the meter. */
  readonly kind?: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct' | undefined;
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from: string;
  /** Last instant, excluded, likewise. Default: `as_of`. */
  readonly to?: string | undefined;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** Calendar windows, one line each. */
  readonly window?: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month' | undefined;
  /** Where billing months start: `31`, `31T06:30` or any start, local. In shorter months the last day. */
  readonly anchor?: string | undefined;
  /** project_id, user_id, resource_id, source, metadata.PATH; repeated or comma-separated. */
  readonly group_by?: string | readonly string[] | undefined;
  /** Any of these; may be repeated. Empty: not known. */
  readonly project_id?: string | readonly string[] | undefined;
  readonly user_id?: string | readonly string[] | undefined;
  readonly resource_id?: string | readonly string[] | undefined;
  readonly source?: string | readonly string[] | undefined;
  /** `metadata.PATH=value`: what was in force at each instant, as text. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** As it was known at that moment. Default: now. */
  readonly as_of?: string | undefined;
  /** Longest that a reading holds: `20m`, `PT20M`. Default: twice the reported interval, 1h where none is known. */
  readonly max_hold?: string | undefined;
  /** How a counter's step across an edge is split. */
  readonly edge?: 'interpolate' | 'end' | undefined;
  /** Of p95: what is averaged over before it is ranked. Default: 5m. */
  readonly step?: string | undefined;
  /** WHERE,HOW,TO[,MINIMUM]: sample, resource or period; ceil, floor, half-up, half-even; a multiple of. */
  readonly rounding?: string | undefined;
  /** `previous`: `estimated` says what it were, had the reading before each gap gone on. */
  readonly estimate?: 'none' | 'previous' | undefined;
  /** Least that a gap may hide, in the unit of the result: of a gauge its level, of counters growth an hour. */
  readonly floor?: string | number | undefined;
  /** Most that a gap may hide, likewise; without it `upper` may be null. */
  readonly ceiling?: string | number | undefined;
  /** A line of which a smaller share was measured has no figure: `quantity` is null. 0 to 1. */
  readonly min_coverage?: string | number | undefined;
  /** `linear`: `projected` says what the line that is not over would come to, did it go on as so far. */
  readonly projection?: 'none' | 'linear' | undefined;
  /** Up to when. Default: the end of the window that the period ends in; without windows, of the month. */
  readonly project_to?: string | undefined;
  /** Whether lines list their gaps, with reasons. */
  readonly gaps?: boolean | undefined;
  /** Whether lines say where their samples are listed. */
  readonly evidence?: boolean | undefined;
  /** In CSV, `'` before texts that a spreadsheet would take for a formula. */
  readonly guard_formulas?: boolean | undefined;
  /** Most lines of the answer. */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
}

export interface ShowUsageDiffParameters {
  /** Meter name; with `kind`. Or name a `definition`. */
  readonly meter?: string | undefined;
  /** A named quantity: see GET /v1/definitions. */
  readonly definition?: string | undefined;
  /** What is asked of the meter. */
  readonly kind?: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct' | undefined;
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from: string;
  /** Last instant, excluded, likewise. Default: `as_of`. */
  readonly to?: string | undefined;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** Calendar windows, one line each. */
  readonly window?: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month' | undefined;
  /** Where billing months start: `31`, `31T06:30` or any start, local. In shorter months the last day. */
  readonly anchor?: string | undefined;
  /** project_id, user_id, resource_id, source, metadata.PATH; repeated or comma-separated. */
  readonly group_by?: string | readonly string[] | undefined;
  /** Any of these; may be repeated. Empty: not known. */
  readonly project_id?: string | readonly string[] | undefined;
  readonly user_id?: string | readonly string[] | undefined;
  readonly resource_id?: string | readonly string[] | undefined;
  readonly source?: string | readonly string[] | undefined;
  /** `metadata.PATH=value`: what was in force at each instant, as text. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Longest that a reading holds: `20m`, `PT20M`. Default: twice the reported interval, 1h where none is known. */
  readonly max_hold?: string | undefined;
  /** How a counter's step across an edge is split. */
  readonly edge?: 'interpolate' | 'end' | undefined;
  /** Of p95: what is averaged over before it is ranked. Default: 5m. */
  readonly step?: string | undefined;
  /** WHERE,HOW,TO[,MINIMUM]: sample, resource or period; ceil, floor, half-up, half-even; a multiple of. */
  readonly rounding?: string | undefined;
  /** `previous`: `estimated` says what it were, had the reading before each gap gone on. */
  readonly estimate?: 'none' | 'previous' | undefined;
  /** Least that a gap may hide, in the unit of the result: of a gauge its level, of counters growth an hour. */
  readonly floor?: string | number | undefined;
  /** Most that a gap may hide, likewise; without it `upper` may be null. */
  readonly ceiling?: string | number | undefined;
  /** A line of which a smaller share was measured has no figure: `quantity` is null. 0 to 1. */
  readonly min_coverage?: string | number | undefined;
  /** `linear`: `projected` says what the line that is not over would come to, did it go on as so far. */
  readonly projection?: 'none' | 'linear' | undefined;
  /** Up to when. Default: the end of the window that the period ends in; without windows, of the month. */
  readonly project_to?: string | undefined;
  /** Whether lines list their gaps, with reasons. */
  readonly gaps?: boolean | undefined;
  /** Whether lines say where their samples are listed. */
  readonly evidence?: boolean | undefined;
  /** Most lines of the answer. */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
  /** An instant, or a local date or time in `tz`. */
  readonly from_as_of: string;
  /** Default: now. */
  readonly to_as_of?: string | undefined;
}

export interface ListChangesParameters {
  /** Meter name; with `kind`. Or name a `definition`. */
  readonly meter?: string | undefined;
  /** A named quantity: see GET /v1/definitions. */
  readonly definition?: string | undefined;
  /** What is asked of the meter. */
  readonly kind?: 'duration' | 'integral' | 'increase' | 'sum' | 'max' | 'min' | 'avg' | 'p95' | 'count' | 'last' | 'peak' | 'distinct' | undefined;
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from: string;
  /** Last instant, excluded, likewise. Default: `as_of`. */
  readonly to?: string | undefined;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** Calendar windows, one line each. */
  readonly window?: 'none' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'billing-month' | undefined;
  /** Where billing months start: `31`, `31T06:30` or any start, local. In shorter months the last day. */
  readonly anchor?: string | undefined;
  /** project_id, user_id, resource_id, source, metadata.PATH; repeated or comma-separated. */
  readonly group_by?: string | readonly string[] | undefined;
  /** Any of these; may be repeated. Empty: not known. */
  readonly project_id?: string | readonly string[] | undefined;
  readonly user_id?: string | readonly string[] | undefined;
  readonly resource_id?: string | readonly string[] | undefined;
  readonly source?: string | readonly string[] | undefined;
  /** `metadata.PATH=value`: what was in force at each instant, as text. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Longest that a reading holds: `20m`, `PT20M`. Default: twice the reported interval, 1h where none is known. */
  readonly max_hold?: string | undefined;
  /** How a counter's step across an edge is split. */
  readonly edge?: 'interpolate' | 'end' | undefined;
  /** Of p95: what is averaged over before it is ranked. Default: 5m. */
  readonly step?: string | undefined;
  /** WHERE,HOW,TO[,MINIMUM]: sample, resource or period; ceil, floor, half-up, half-even; a multiple of. */
  readonly rounding?: string | undefined;
  /** `previous`: `estimated` says what it were, had the reading before each gap gone on. */
  readonly estimate?: 'none' | 'previous' | undefined;
  /** Least that a gap may hide, in the unit of the result: of a gauge its level, of counters growth an hour. */
  readonly floor?: string | number | undefined;
  /** Most that a gap may hide, likewise; without it `upper` may be null. */
  readonly ceiling?: string | number | undefined;
  /** A line of which a smaller share was measured has no figure: `quantity` is null. 0 to 1. */
  readonly min_coverage?: string | number | undefined;
  /** `linear`: `projected` says what the line that is not over would come to, did it go on as so far. */
  readonly projection?: 'none' | 'linear' | undefined;
  /** Up to when. Default: the end of the window that the period ends in; without windows, of the month. */
  readonly project_to?: string | undefined;
  /** Whether lines list their gaps, with reasons. */
  readonly gaps?: boolean | undefined;
  /** Whether lines say where their samples are listed. */
  readonly evidence?: boolean | undefined;
  /** Most lines of the answer. */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
}

export interface ShowCoverageParameters {
  /** `source`: polling sources of each agent. */
  readonly by?: 'agent' | 'source' | 'meter' | 'resource' | undefined;
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from: string;
  /** Last instant, excluded, likewise. Default: `as_of`. */
  readonly to?: string | undefined;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** As it was known at that moment. Default: now. */
  readonly as_of?: string | undefined;
  readonly agent_id?: string | undefined;
  /** Of `meter` and `resource`; without it every meter. */
  readonly meter?: string | undefined;
  /** Any of these; may be repeated. Empty: not known. */
  readonly project_id?: string | readonly string[] | undefined;
  readonly resource_id?: string | readonly string[] | undefined;
}

export interface ListDefinitionsParameters {
  readonly as_of?: string | undefined;
}

export interface CreateVoidParameters {
  readonly body: VoidRequest;
}

export interface ListVoidsParameters {
  readonly limit?: number | undefined;
  /** Only what was recorded before: `next` of the answer before. */
  readonly before?: string | undefined;
}

export interface PostInventoryParameters {
  readonly body: PostInventoryRequest;
}

export interface ListInventoryParameters {
  /** What the list is called: one name for each kind of list, such as `instances`. */
  readonly name?: string | undefined;
  /** As it was known at that moment. Default: now. */
  readonly as_of?: string | undefined;
  readonly limit?: number | undefined;
}

export interface ListFindingsParameters {
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from: string;
  /** Last instant, excluded, likewise. Default: `as_of`. */
  readonly to?: string | undefined;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** As it was known at that moment. Default: now. */
  readonly as_of?: string | undefined;
  /** Only what this list shows. */
  readonly list?: string | undefined;
  readonly meter?: string | undefined;
  readonly finding?: 'never-sampled' | 'not-sampled-then' | 'never-answered' | 'unknown-resource' | undefined;
  /** Any of these; may be repeated. Empty: not known. */
  readonly project_id?: string | readonly string[] | undefined;
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
}

export interface CreateStatementsParameters {
  readonly body: CreateStatementsRequest;
}

export interface ListStatementsParameters {
  readonly project_id?: string | undefined;
  /** Only periods that end after this. */
  readonly from?: string | undefined;
  /** Only periods that start before this. */
  readonly to?: string | undefined;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** Most lines of the answer. */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
}

export interface ShowStatementParameters {
  /** Of the statement. */
  readonly statement_id: string;
}

export interface ShowStatementEvidenceParameters {
  /** Of the statement. */
  readonly statement_id: string;
}

export interface ShowAdjustmentsParameters {
  /** Of the statement. */
  readonly statement_id: string;
  /** As it was known at that moment. Default: now. */
  readonly as_of?: string | undefined;
  /** Most lines of the answer. */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
}

export interface ShowFinalityParameters {
  /** Whose figures. */
  readonly project_id: string;
  /** First instant, included: with a zone, or a local date or time in `tz`. */
  readonly from: string;
  /** Last instant, excluded, likewise. */
  readonly to: string;
  /** IANA name of the zone that dates and windows are of. */
  readonly tz?: string | undefined;
  /** As it was known at that moment. Default: now. */
  readonly as_of?: string | undefined;
}

export interface CreateExportParameters {
  readonly body: ExportRequest;
}

export interface ListExportsParameters {
  /** Most exports of the answer. */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
}

export interface ShowExportParameters {
  /** Of the export. */
  readonly id: string;
}

export interface ShowExportManifestParameters {
  /** Of the export. */
  readonly id: string;
}

export interface ShowExportPartitionParameters {
  /** Of the export. */
  readonly id: string;
  /** Of the partition: `2026-03-01`. */
  readonly name: string;
}

export interface ShowExportPartParameters {
  /** Of the export. */
  readonly id: string;
  /** As the manifest names it: `2026-03-01.0001.csv`. */
  readonly file: string;
}

export interface ListSamplesParameters {
  /** Name of a meter: `cpu`. */
  readonly meter?: string | undefined;
  /** The thing measured; any of these, may be repeated. */
  readonly resource_id?: string | readonly string[] | undefined;
  /** Which cloud, where several send here; likewise. */
  readonly source?: string | readonly string[] | undefined;
  /** Whose resource it was; likewise. Empty: not known. */
  readonly user_id?: string | readonly string[] | undefined;
  /** Who pays; likewise. Empty: not known. */
  readonly project_id?: string | readonly string[] | undefined;
  /** One sample. */
  readonly message_id?: string | undefined;
  /** First instant, included. */
  readonly from?: string | Date | undefined;
  /** Last instant, excluded. */
  readonly to?: string | Date | undefined;
  /** By dotted path below resource_metadata. A JSON scalar (5, true, null, "5") is compared as such, else text. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** How `metadata.PATH` is compared. `text`: as /v1/usage groups by it, 5 and "5" alike; any of several; empty: not there. */
  readonly match?: 'json' | 'text' | undefined;
  /** As it was known at that moment. */
  readonly as_of?: string | Date | undefined;
  /** By timestamp. */
  readonly order?: 'newest' | 'oldest' | undefined;
  /** With `from`, `to` and order=oldest: also, of each resource, the sample next before `from` (`before`), and next behind `to` (`both`), at most 7 days away. What held, or what a counter grew from and to. */
  readonly beside?: 'before' | 'both' | undefined;
  /** Most rows of the answer. */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
}

export interface ShowEvidenceParameters {
  /** Of the sample. */
  readonly message_id: string;
}

export interface PostMessagesParameters {
  readonly body: MessagesRequest;
}

export interface ListConflictsParameters {
  /** Name of a meter: `cpu`. */
  readonly meter?: string | undefined;
  /** The thing measured; any of these, may be repeated. */
  readonly resource_id?: string | readonly string[] | undefined;
  /** Which cloud, where several send here; likewise. */
  readonly source?: string | readonly string[] | undefined;
  /** Whose resource it was; likewise. Empty: not known. */
  readonly user_id?: string | readonly string[] | undefined;
  /** Who pays; likewise. Empty: not known. */
  readonly project_id?: string | readonly string[] | undefined;
  /** One sample. */
  readonly message_id?: string | undefined;
  /** First instant, included. */
  readonly from?: string | Date | undefined;
  /** Last instant, excluded. */
  readonly to?: string | Date | undefined;
  /** By dotted path below resource_metadata. A JSON scalar (5, true, null, "5") is compared as such, else text. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** How `metadata.PATH` is compared. `text`: as /v1/usage groups by it, 5 and "5" alike; any of several; empty: not there. */
  readonly match?: 'json' | 'text' | undefined;
  /** As it was known at that moment. */
  readonly as_of?: string | Date | undefined;
  /** By timestamp. */
  readonly order?: 'newest' | 'oldest' | undefined;
  /** Most rows of the answer. */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly cursor?: string | undefined;
}

export interface ResolveConflictParameters {
  /** Of the samples in conflict. */
  readonly message_id: string;
  readonly body: ResolveRequest;
}

export interface ListLedgerParameters {
  /** Batches of this agent. */
  readonly agent_id?: string | undefined;
  /** Of one run of an agent. */
  readonly epoch?: string | undefined;
  /** One batch. */
  readonly digest?: string | undefined;
  /** Where to go on: `next` of the answer before. */
  readonly after?: string | undefined;
  /** Whether the signed headers, with their cycle reports, are shown. */
  readonly headers?: boolean | undefined;
  /** Most rows of the answer. */
  readonly limit?: number | undefined;
}

export interface ListAgentsParameters {
  /** Only agents that stand so. */
  readonly state?: 'ok' | 'late' | 'silent' | 'never-seen' | 'cloned' | undefined;
}

export interface RotateKeyParameters {
  readonly body: RotateRequest;
}

export interface RevokeKeyParameters {
  /** As `GET /v1/keys` names it. */
  readonly key_id: string;
  readonly body: RevokeRequest;
}

export interface ListQuarantineParameters {
  /** Why it was refused. */
  readonly reason?: 'malformed' | 'field' | 'volume' | 'timestamp' | 'signature' | 'key' | 'revoked' | 'agent' | 'merkle' | 'message_id' | 'headerless' | 'future' | 'past' | 'oversized' | 'conflict' | 'poison' | undefined;
  /** Most rows of the answer. */
  readonly limit?: number | undefined;
  /** Only what was recorded before: `next` of the answer before. */
  readonly before?: string | Date | undefined;
}

export interface ShowQuarantinedParameters {
  /** As `GET /v1/quarantine` names it. */
  readonly id: string;
}

export interface ReplayQuarantinedParameters {
  /** As `GET /v1/quarantine` names it. */
  readonly id: string;
}

export interface CreateTokenParameters {
  readonly body: TokenRequest;
}

export interface RevokeTokenParameters {
  /** As `GET /v1/tokens` names it. */
  readonly id: string;
}

/** How each operation is asked. */
export const OPERATIONS = {
  showUsage: {"method":"GET","path":"/v1/usage","query":["meter","definition","kind","from","to","tz","window","anchor","group_by","project_id","user_id","resource_id","source","metadata","as_of","max_hold","edge","step","rounding","estimate","floor","ceiling","min_coverage","projection","project_to","gaps","evidence","guard_formulas","limit","cursor"],"prefixed":{"metadata":"metadata."},"pages":{"items":"lines","cursor":"cursor"}},
  askUsage: {"method":"POST","path":"/v1/usage","query":[]},
  showQuarantineUsage: {"method":"GET","path":"/v1/usage/quarantine","query":["meter","definition","kind","from","to","tz","window","anchor","group_by","project_id","user_id","resource_id","source","metadata","as_of","max_hold","edge","step","rounding","estimate","floor","ceiling","min_coverage","projection","project_to","gaps","evidence","guard_formulas","limit","cursor"],"prefixed":{"metadata":"metadata."},"pages":{"items":"lines","cursor":"cursor"}},
  showUsageDiff: {"method":"GET","path":"/v1/usage/diff","query":["meter","definition","kind","from","to","tz","window","anchor","group_by","project_id","user_id","resource_id","source","metadata","max_hold","edge","step","rounding","estimate","floor","ceiling","min_coverage","projection","project_to","gaps","evidence","limit","cursor","from_as_of","to_as_of"],"prefixed":{"metadata":"metadata."},"pages":{"items":"changes","cursor":"cursor"}},
  listChanges: {"method":"GET","path":"/v1/changes","query":["meter","definition","kind","from","to","tz","window","anchor","group_by","project_id","user_id","resource_id","source","metadata","max_hold","edge","step","rounding","estimate","floor","ceiling","min_coverage","projection","project_to","gaps","evidence","limit","cursor"],"prefixed":{"metadata":"metadata."}},
  showCoverage: {"method":"GET","path":"/v1/coverage","query":["by","from","to","tz","as_of","agent_id","meter","project_id","resource_id"]},
  listDefinitions: {"method":"GET","path":"/v1/definitions","query":["as_of"]},
  createVoid: {"method":"POST","path":"/v1/voids","query":[]},
  listVoids: {"method":"GET","path":"/v1/voids","query":["limit","before"],"pages":{"items":"voids","cursor":"before"}},
  postInventory: {"method":"POST","path":"/v1/inventory","query":[]},
  listInventory: {"method":"GET","path":"/v1/inventory","query":["name","as_of","limit"]},
  listFindings: {"method":"GET","path":"/v1/findings","query":["from","to","tz","as_of","list","meter","finding","project_id","limit","cursor"],"pages":{"items":"findings","cursor":"cursor"}},
  createStatements: {"method":"POST","path":"/v1/statements","query":[]},
  listStatements: {"method":"GET","path":"/v1/statements","query":["project_id","from","to","tz","limit","cursor"],"pages":{"items":"statements","cursor":"cursor"}},
  showStatementKey: {"method":"GET","path":"/v1/statements/key","query":[]},
  showStatement: {"method":"GET","path":"/v1/statements/{statement_id}","query":[]},
  showStatementEvidence: {"method":"GET","path":"/v1/statements/{statement_id}/evidence","query":[]},
  showAdjustments: {"method":"GET","path":"/v1/statements/{statement_id}/adjustments","query":["as_of","limit","cursor"],"pages":{"items":"adjustments","cursor":"cursor"}},
  showFinality: {"method":"GET","path":"/v1/finality","query":["project_id","from","to","tz","as_of"]},
  createExport: {"method":"POST","path":"/v1/exports","query":[]},
  listExports: {"method":"GET","path":"/v1/exports","query":["limit","cursor"],"pages":{"items":"exports","cursor":"cursor"}},
  showExport: {"method":"GET","path":"/v1/exports/{id}","query":[]},
  showExportManifest: {"method":"GET","path":"/v1/exports/{id}/manifest","query":[]},
  showExportPartition: {"method":"GET","path":"/v1/exports/{id}/partitions/{name}","query":[]},
  showExportPart: {"method":"GET","path":"/v1/exports/{id}/parts/{file}","query":[]},
  listSamples: {"method":"GET","path":"/v1/samples","query":["meter","resource_id","source","user_id","project_id","message_id","from","to","metadata","match","as_of","order","beside","limit","cursor"],"prefixed":{"metadata":"metadata."},"pages":{"items":"samples","cursor":"cursor"}},
  showEvidence: {"method":"GET","path":"/v1/samples/{message_id}","query":[]},
  postMessages: {"method":"POST","path":"/v1/messages","query":[]},
  listConflicts: {"method":"GET","path":"/v1/conflicts","query":["meter","resource_id","source","user_id","project_id","message_id","from","to","metadata","match","as_of","order","limit","cursor"],"prefixed":{"metadata":"metadata."},"pages":{"items":"conflicts","cursor":"cursor"}},
  resolveConflict: {"method":"POST","path":"/v1/conflicts/{message_id}/resolve","query":[]},
  listLedger: {"method":"GET","path":"/v1/ledger","query":["agent_id","epoch","digest","after","headers","limit"],"pages":{"items":"batches","cursor":"after"}},
  listAgents: {"method":"GET","path":"/v1/agents","query":["state"]},
  listKeys: {"method":"GET","path":"/v1/keys","query":[]},
  rotateKey: {"method":"POST","path":"/v1/keys","query":[]},
  revokeKey: {"method":"POST","path":"/v1/keys/{key_id}/revoke","query":[]},
  listQuarantine: {"method":"GET","path":"/v1/quarantine","query":["reason","limit","before"],"pages":{"items":"quarantine","cursor":"before"}},
  showQuarantined: {"method":"GET","path":"/v1/quarantine/{id}","query":[]},
  replayQuarantined: {"method":"POST","path":"/v1/quarantine/{id}/replay","query":[]},
  whoAmI: {"method":"GET","path":"/v1/whoami","query":[]},
  listTokens: {"method":"GET","path":"/v1/tokens","query":[]},
  createToken: {"method":"POST","path":"/v1/tokens","query":[]},
  revokeToken: {"method":"DELETE","path":"/v1/tokens/{id}","query":[]},
  showOpenApi: {"method":"GET","path":"/v1/openapi.json","query":[]},
} as const satisfies Readonly<Record<string, OperationShape>>;

/** What every project used, hour by hour, in figures that a billing system can invoice and a customer can check. Quantities and volumes are exact decimals in strings; times are UTC, `2026-03-01T00:00:00Z`, with up to six digits of fraction. Errors are `application/problem+json` with a stable `code`. Later versions may add properties to answers. */
export class NephometerClient extends Transport {
  /**
   * GET /v1/usage: What was used in a period, as it was known at a moment. Name a `definition`, or a `meter` and a `kind`. The same question with the same `as_of` has the same bytes once it is `settled`. Without `limit`, NDJSON and CSV hold all lines. For the roles `admin` and `reader`. Give `next` back as `cursor` for the next page; null: that was the last.
   * @throws NephometerError
   */
  showUsage(parameters: ShowUsageParameters, options?: CallOptions): Promise<UsageAnswer> {
    return this.call<UsageAnswer>(OPERATIONS.showUsage, parameters, options);
  }

  /** Every row of `showUsage`, page after page. @throws NephometerError */
  eachUsageLine(parameters: ShowUsageParameters, options?: CallOptions): AsyncGenerator<UsageAnswer['lines'][number], void, undefined> {
    return this.each<UsageAnswer['lines'][number]>(OPERATIONS.showUsage, parameters, options);
  }

  /**
   * POST /v1/usage: The same with the fields in the body, for long questions. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  askUsage(parameters: AskUsageParameters, options?: CallOptions): Promise<UsageAnswer> {
    return this.call<UsageAnswer>(OPERATIONS.askUsage, parameters, options);
  }

  /**
   * GET /v1/usage/quarantine: What the lines would come to with the messages that were refused. A what-if, by the reason of the refusal: no other figure has any of it. What cannot be read is told by its number. Refused messages are as true as the word of whoever sent them. For the role `admin`. Give `next` back as `cursor` for the next page; null: that was the last.
   * @throws NephometerError
   */
  showQuarantineUsage(parameters: ShowQuarantineUsageParameters, options?: CallOptions): Promise<QuarantineUsageAnswer> {
    return this.call<QuarantineUsageAnswer>(OPERATIONS.showQuarantineUsage, parameters, options);
  }

  /** Every row of `showQuarantineUsage`, page after page. @throws NephometerError */
  eachQuarantineLine(parameters: ShowQuarantineUsageParameters, options?: CallOptions): AsyncGenerator<QuarantineUsageAnswer['lines'][number], void, undefined> {
    return this.each<QuarantineUsageAnswer['lines'][number]>(OPERATIONS.showQuarantineUsage, parameters, options);
  }

  /**
   * GET /v1/usage/diff: Which lines changed between two moments, and why. `late`: samples or reports arrived after the first moment; `void`: samples were voided; `conflict`: one arose or was resolved; `definition`: the named quantity changed. For the roles `admin` and `reader`. Give `next` back as `cursor` for the next page; null: that was the last.
   * @throws NephometerError
   */
  showUsageDiff(parameters: ShowUsageDiffParameters, options?: CallOptions): Promise<DiffAnswer> {
    return this.call<DiffAnswer>(OPERATIONS.showUsageDiff, parameters, options);
  }

  /** Every row of `showUsageDiff`, page after page. @throws NephometerError */
  eachUsageChange(parameters: ShowUsageDiffParameters, options?: CallOptions): AsyncGenerator<DiffAnswer['changes'][number], void, undefined> {
    return this.each<DiffAnswer['changes'][number]>(OPERATIONS.showUsageDiff, parameters, options);
  }

  /**
   * GET /v1/changes: Lines that changed since the cursor, for those who keep a copy. Begin without a cursor; go on with the `cursor` of the answer, at once while there is `more`, else later. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  listChanges(parameters: ListChangesParameters, options?: CallOptions): Promise<ChangesAnswer> {
    return this.call<ChangesAnswer>(OPERATIONS.listChanges, parameters, options);
  }

  /**
   * GET /v1/coverage: What was measured, what was not, and why. By `agent` and `source` for admins. An expected agent that was never seen is a gap as long as the period. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  showCoverage(parameters: ShowCoverageParameters, options?: CallOptions): Promise<CoverageAnswer> {
    return this.call<CoverageAnswer>(OPERATIONS.showCoverage, parameters, options);
  }

  /**
   * GET /v1/definitions: The named quantities, as they stood at a moment. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  listDefinitions(parameters: ListDefinitionsParameters = {}, options?: CallOptions): Promise<DefinitionsAnswer> {
    return this.call<DefinitionsAnswer>(OPERATIONS.listDefinitions, parameters, options);
  }

  /**
   * POST /v1/voids: Takes samples out of every figure from now on. Of samples recorded so far, all that match the selector; `samples` says how many. Nothing is removed: earlier moments keep them. For the role `admin`.
   * @throws NephometerError
   */
  createVoid(parameters: CreateVoidParameters, options?: CallOptions): Promise<NewVoidAnswer> {
    return this.call<NewVoidAnswer>(OPERATIONS.createVoid, parameters, options);
  }

  /**
   * GET /v1/voids: What was voided, by whom and why, newest first. For the role `admin`. Give `next` back as `before` for the next page; null: that was the last.
   * @throws NephometerError
   */
  listVoids(parameters: ListVoidsParameters = {}, options?: CallOptions): Promise<VoidsAnswer> {
    return this.call<VoidsAnswer>(OPERATIONS.listVoids, parameters, options);
  }

  /** Every row of `listVoids`, page after page. @throws NephometerError */
  eachVoid(parameters: ListVoidsParameters = {}, options?: CallOptions): AsyncGenerator<VoidsAnswer['voids'][number], void, undefined> {
    return this.each<VoidsAnswer['voids'][number]>(OPERATIONS.listVoids, parameters, options);
  }

  /**
   * POST /v1/inventory: What was there at a moment: agents that must be heard, resources that must be sampled. Append-only; post a list of the same `name` as often as it is made, say once a day. `expected_agents` of the configuration is a list, too. What it shows is in `warnings` of GET /v1/usage, and in GET /v1/findings. For the role `admin`.
   * @throws NephometerError
   */
  postInventory(parameters: PostInventoryParameters, options?: CallOptions): Promise<PostInventoryAnswer> {
    return this.call<PostInventoryAnswer>(OPERATIONS.postInventory, parameters, options);
  }

  /**
   * GET /v1/inventory: Which lists there are, newest moment first. For the role `admin`.
   * @throws NephometerError
   */
  listInventory(parameters: ListInventoryParameters = {}, options?: CallOptions): Promise<ListInventoryAnswer> {
    return this.call<ListInventoryAnswer>(OPERATIONS.listInventory, parameters, options);
  }

  /**
   * GET /v1/findings: What was there and is not sampled, and what is sampled and was not there. `never-sampled`: A list of the period names it, and nothing of it was sampled in the period. `not-sampled-then`: A list names it, and its samples in the period begin later or end earlier than that list. `never-answered`: A discovery found it, and every reading of it failed in the period. `unknown-resource`: It was sampled before and after a complete list that does not name it. For the role `admin`. Give `next` back as `cursor` for the next page; null: that was the last.
   * @throws NephometerError
   */
  listFindings(parameters: ListFindingsParameters, options?: CallOptions): Promise<ListFindingsAnswer> {
    return this.call<ListFindingsAnswer>(OPERATIONS.listFindings, parameters, options);
  }

  /** Every row of `listFindings`, page after page. @throws NephometerError */
  eachFinding(parameters: ListFindingsParameters, options?: CallOptions): AsyncGenerator<ListFindingsAnswer['findings'][number], void, undefined> {
    return this.each<ListFindingsAnswer['findings'][number]>(OPERATIONS.listFindings, parameters, options);
  }

  /**
   * POST /v1/statements: Closes a period for a project, or for each. Freezes the figures and signs them: 201 when a statement is new, 200 when none is. What is closed already is answered as it is, and 409 says what was asked for otherwise. Of all projects at once, `refused` names those that stay open. For the role `admin`.
   * @throws NephometerError
   */
  createStatements(parameters: CreateStatementsParameters, options?: CallOptions): Promise<CreateStatementsAnswer> {
    return this.call<CreateStatementsAnswer>(OPERATIONS.createStatements, parameters, options);
  }

  /**
   * GET /v1/statements: Closed periods, newest first. For the roles `admin` and `reader`. Give `next` back as `cursor` for the next page; null: that was the last.
   * @throws NephometerError
   */
  listStatements(parameters: ListStatementsParameters = {}, options?: CallOptions): Promise<ListStatementsAnswer> {
    return this.call<ListStatementsAnswer>(OPERATIONS.listStatements, parameters, options);
  }

  /** Every row of `listStatements`, page after page. @throws NephometerError */
  eachStatement(parameters: ListStatementsParameters = {}, options?: CallOptions): AsyncGenerator<ListStatementsAnswer['statements'][number], void, undefined> {
    return this.each<ListStatementsAnswer['statements'][number]>(OPERATIONS.listStatements, parameters, options);
  }

  /**
   * GET /v1/statements/key: The public key that statements are signed with. No token is needed.
   * @throws NephometerError
   */
  showStatementKey(options?: CallOptions): Promise<ShowStatementKeyAnswer> {
    return this.call<ShowStatementKeyAnswer>(OPERATIONS.showStatementKey, {}, options);
  }

  /**
   * GET /v1/statements/{statement_id}: A statement, the same bytes for ever. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  showStatement(parameters: ShowStatementParameters, options?: CallOptions): Promise<ShowStatementAnswer> {
    return this.call<ShowStatementAnswer>(OPERATIONS.showStatement, parameters, options);
  }

  /**
   * GET /v1/statements/{statement_id}/evidence: The statement with all that it stands on, for `nephometer verify`. NDJSON: the statement, then batch headers, losses, voids and samples with their Merkle paths. For admins to hand on: headers name resources that could not be read, of every project on the node. For the role `admin`.
   * @throws NephometerError
   */
  showStatementEvidence(parameters: ShowStatementEvidenceParameters, options?: CallOptions): Promise<ReadableStream<Uint8Array>> {
    return this.bytes(OPERATIONS.showStatementEvidence, parameters, options);
  }

  /**
   * GET /v1/statements/{statement_id}/adjustments: What changed since the period was closed, line by line, and why. What arrived after the closing, how much, for whom, by which cause and which policy: the difference between each frozen line and what it would be now. For the roles `admin` and `reader`. Give `next` back as `cursor` for the next page; null: that was the last.
   * @throws NephometerError
   */
  showAdjustments(parameters: ShowAdjustmentsParameters, options?: CallOptions): Promise<ShowAdjustmentsAnswer> {
    return this.call<ShowAdjustmentsAnswer>(OPERATIONS.showAdjustments, parameters, options);
  }

  /** Every row of `showAdjustments`, page after page. @throws NephometerError */
  eachAdjustment(parameters: ShowAdjustmentsParameters, options?: CallOptions): AsyncGenerator<ShowAdjustmentsAnswer['adjustments'][number], void, undefined> {
    return this.each<ShowAdjustmentsAnswer['adjustments'][number]>(OPERATIONS.showAdjustments, parameters, options);
  }

  /**
   * GET /v1/finality: Whether a period is final for a project, and what is still open. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  showFinality(parameters: ShowFinalityParameters, options?: CallOptions): Promise<ShowFinalityAnswer> {
    return this.call<ShowFinalityAnswer>(OPERATIONS.showFinality, parameters, options);
  }

  /**
   * POST /v1/exports: Pins a question and a moment, for files that never change. Answers at once: files are made when they are asked for, and made again to the same bytes. The same question as of the same moment has the same id. `nephometer export usage` loads an export into a folder. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  createExport(parameters: CreateExportParameters, options?: CallOptions): Promise<ExportPlanAnswer> {
    return this.call<ExportPlanAnswer>(OPERATIONS.createExport, parameters, options);
  }

  /**
   * GET /v1/exports: Exports that were asked for, newest first. A reader sees those of its own projects. For the roles `admin` and `reader`. Give `next` back as `cursor` for the next page; null: that was the last.
   * @throws NephometerError
   */
  listExports(parameters: ListExportsParameters = {}, options?: CallOptions): Promise<ExportsAnswer> {
    return this.call<ExportsAnswer>(OPERATIONS.listExports, parameters, options);
  }

  /** Every row of `listExports`, page after page. @throws NephometerError */
  eachExport(parameters: ListExportsParameters = {}, options?: CallOptions): AsyncGenerator<ExportsAnswer['exports'][number], void, undefined> {
    return this.each<ExportsAnswer['exports'][number]>(OPERATIONS.listExports, parameters, options);
  }

  /**
   * GET /v1/exports/{id}: What an export is of, and its partitions. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  showExport(parameters: ShowExportParameters, options?: CallOptions): Promise<ExportPlanAnswer> {
    return this.call<ExportPlanAnswer>(OPERATIONS.showExport, parameters, options);
  }

  /**
   * GET /v1/exports/{id}/manifest: Every file of an export with rows, bytes and SHA-256, and control totals over all. Makes every partition once, so for large exports it takes its time; it comes while it is made. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  showExportManifest(parameters: ShowExportManifestParameters, options?: CallOptions): Promise<ExportManifestAnswer> {
    return this.call<ExportManifestAnswer>(OPERATIONS.showExportManifest, parameters, options);
  }

  /**
   * GET /v1/exports/{id}/partitions/{name}: The files of one partition, as the manifest has them. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  showExportPartition(parameters: ShowExportPartitionParameters, options?: CallOptions): Promise<ExportPartitionAnswer> {
    return this.call<ExportPartitionAnswer>(OPERATIONS.showExportPartition, parameters, options);
  }

  /**
   * GET /v1/exports/{id}/parts/{file}: The bytes of one file: those of its SHA-256, whenever they are asked for. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  showExportPart(parameters: ShowExportPartParameters, options?: CallOptions): Promise<ReadableStream<Uint8Array>> {
    return this.bytes(OPERATIONS.showExportPart, parameters, options);
  }

  /**
   * GET /v1/samples: Samples, page by page. A reader sees those of its own projects; asking for another project is 403. For the roles `admin` and `reader`. Give `next` back as `cursor` for the next page; null: that was the last.
   * @throws NephometerError
   */
  listSamples(parameters: ListSamplesParameters = {}, options?: CallOptions): Promise<SamplesAnswer> {
    return this.call<SamplesAnswer>(OPERATIONS.listSamples, parameters, options);
  }

  /** Every row of `listSamples`, page after page. @throws NephometerError */
  eachSample(parameters: ListSamplesParameters = {}, options?: CallOptions): AsyncGenerator<SamplesAnswer['samples'][number], void, undefined> {
    return this.each<SamplesAnswer['samples'][number]>(OPERATIONS.listSamples, parameters, options);
  }

  /**
   * GET /v1/samples/{message_id}: The evidence for one sample. The signed text byte for byte as received, its key and times, and the Merkle path up to the signed batch header: all that is needed to check it elsewhere. Only admins see the header itself. For the roles `admin` and `reader`.
   * @throws NephometerError
   */
  showEvidence(parameters: ShowEvidenceParameters, options?: CallOptions): Promise<EvidenceAnswer> {
    return this.call<EvidenceAnswer>(OPERATIONS.showEvidence, parameters, options);
  }

  /**
   * POST /v1/messages: Whole metering messages, verified and recorded. What Ceilometer's `http://` publisher sends: an array, one object, or the oslo envelope. Every field is kept as sent. Answered once all is stored and readable, with one result a message, in order. Served where a collector runs in the same process, as in `nephometer up`; elsewhere it is 404. For the roles `admin` and `writer`.
   * @throws NephometerError
   */
  postMessages(parameters: PostMessagesParameters, options?: CallOptions): Promise<MessagesAnswer> {
    return this.call<MessagesAnswer>(OPERATIONS.postMessages, parameters, options);
  }

  /**
   * GET /v1/conflicts: Message ids that came with two contents. Every version of each, side by side. Until one is chosen their interval is a gap. For the role `admin`. Give `next` back as `cursor` for the next page; null: that was the last.
   * @throws NephometerError
   */
  listConflicts(parameters: ListConflictsParameters = {}, options?: CallOptions): Promise<ConflictsAnswer> {
    return this.call<ConflictsAnswer>(OPERATIONS.listConflicts, parameters, options);
  }

  /** Every row of `listConflicts`, page after page. @throws NephometerError */
  eachConflict(parameters: ListConflictsParameters = {}, options?: CallOptions): AsyncGenerator<ConflictsAnswer['conflicts'][number], void, undefined> {
    return this.each<ConflictsAnswer['conflicts'][number]>(OPERATIONS.listConflicts, parameters, options);
  }

  /**
   * POST /v1/conflicts/{message_id}/resolve: Says which version of a conflict counts, or that none does. For the role `admin`.
   * @throws NephometerError
   */
  resolveConflict(parameters: ResolveConflictParameters, options?: CallOptions): Promise<ResolutionAnswer> {
    return this.call<ResolutionAnswer>(OPERATIONS.resolveConflict, parameters, options);
  }

  /**
   * GET /v1/ledger: What was recorded, in the order of recording. For the role `admin`. Give `next` back as `after` for the next page; null: that was the last.
   * @throws NephometerError
   */
  listLedger(parameters: ListLedgerParameters = {}, options?: CallOptions): Promise<LedgerAnswer> {
    return this.call<LedgerAnswer>(OPERATIONS.listLedger, parameters, options);
  }

  /** Every row of `listLedger`, page after page. @throws NephometerError */
  eachBatch(parameters: ListLedgerParameters = {}, options?: CallOptions): AsyncGenerator<LedgerAnswer['batches'][number], void, undefined> {
    return this.each<LedgerAnswer['batches'][number]>(OPERATIONS.listLedger, parameters, options);
  }

  /**
   * GET /v1/agents: Every agent, and those expected that never reported. For the role `admin`.
   * @throws NephometerError
   */
  listAgents(parameters: ListAgentsParameters = {}, options?: CallOptions): Promise<AgentsAnswer> {
    return this.call<AgentsAnswer>(OPERATIONS.listAgents, parameters, options);
  }

  /**
   * GET /v1/keys: Keys, and how each stands; never a key itself. For the role `admin`.
   * @throws NephometerError
   */
  listKeys(options?: CallOptions): Promise<KeysAnswer> {
    return this.call<KeysAnswer>(OPERATIONS.listKeys, {}, options);
  }

  /**
   * POST /v1/keys: The next generation of an agent's derived key. The one before is refused after `retire_after`. For the role `admin`.
   * @throws NephometerError
   */
  rotateKey(parameters: RotateKeyParameters, options?: CallOptions): Promise<KeyChangeAnswer> {
    return this.call<KeyChangeAnswer>(OPERATIONS.rotateKey, parameters, options);
  }

  /**
   * POST /v1/keys/{key_id}/revoke: Refuses a key from a moment on, in every collector. For the role `admin`.
   * @throws NephometerError
   */
  revokeKey(parameters: RevokeKeyParameters, options?: CallOptions): Promise<KeyChangeAnswer> {
    return this.call<KeyChangeAnswer>(OPERATIONS.revokeKey, parameters, options);
  }

  /**
   * GET /v1/quarantine: What was refused, newest first. For the role `admin`. Give `next` back as `before` for the next page; null: that was the last.
   * @throws NephometerError
   */
  listQuarantine(parameters: ListQuarantineParameters = {}, options?: CallOptions): Promise<QuarantineAnswer> {
    return this.call<QuarantineAnswer>(OPERATIONS.listQuarantine, parameters, options);
  }

  /** Every row of `listQuarantine`, page after page. @throws NephometerError */
  eachQuarantined(parameters: ListQuarantineParameters = {}, options?: CallOptions): AsyncGenerator<QuarantineAnswer['quarantine'][number], void, undefined> {
    return this.each<QuarantineAnswer['quarantine'][number]>(OPERATIONS.listQuarantine, parameters, options);
  }

  /**
   * GET /v1/quarantine/{id}: One refused message, with its bytes. For the role `admin`.
   * @throws NephometerError
   */
  showQuarantined(parameters: ShowQuarantinedParameters, options?: CallOptions): Promise<QuarantineMessageAnswer> {
    return this.call<QuarantineMessageAnswer>(OPERATIONS.showQuarantined, parameters, options);
  }

  /**
   * POST /v1/quarantine/{id}/replay: Gives the original bytes to a collector once more. After what was wrong was put right. What is refused again stays refused. For the role `admin`.
   * @throws NephometerError
   */
  replayQuarantined(parameters: ReplayQuarantinedParameters, options?: CallOptions): Promise<ReplayAnswer> {
    return this.call<ReplayAnswer>(OPERATIONS.replayQuarantined, parameters, options);
  }

  /**
   * GET /v1/whoami: Who the token belongs to. For every token.
   * @throws NephometerError
   */
  whoAmI(options?: CallOptions): Promise<IdentityAnswer> {
    return this.call<IdentityAnswer>(OPERATIONS.whoAmI, {}, options);
  }

  /**
   * GET /v1/tokens: Tokens, those of the configuration too. Never a token itself or its hash. For the role `admin`.
   * @throws NephometerError
   */
  listTokens(options?: CallOptions): Promise<TokensAnswer> {
    return this.call<TokensAnswer>(OPERATIONS.listTokens, {}, options);
  }

  /**
   * POST /v1/tokens: Makes a token. The only answer that shows it. For the role `admin`.
   * @throws NephometerError
   */
  createToken(parameters: CreateTokenParameters, options?: CallOptions): Promise<NewTokenAnswer> {
    return this.call<NewTokenAnswer>(OPERATIONS.createToken, parameters, options);
  }

  /**
   * DELETE /v1/tokens/{id}: Refuses a token from now on. For the role `admin`.
   * @throws NephometerError
   */
  revokeToken(parameters: RevokeTokenParameters, options?: CallOptions): Promise<void> {
    return this.call<void>(OPERATIONS.revokeToken, parameters, options);
  }

  /**
   * GET /v1/openapi.json: This document, in OpenAPI 3.1. Made from the schemas that validate. A page to read it is at `/docs`. No token is needed.
   * @throws NephometerError
   */
  showOpenApi(options?: CallOptions): Promise<OpenApiAnswer> {
    return this.call<OpenApiAnswer>(OPERATIONS.showOpenApi, {}, options);
  }
}
