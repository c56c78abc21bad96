import { MeteringError } from '../errors.ts';

/** Why a message was refused. Stable: stored in the quarantine, counted in metrics, answered over HTTP. */
export const REFUSAL_REASONS = {
  malformed: 'Not the JSON or the envelope that a metering message has.',
  field: 'A field is missing or has the wrong type.',
  volume: 'The volume is not a finite number of at most 38 digits.',
  timestamp: 'The timestamp cannot be read.',
  signature: 'The signature does not match the content.',
  key: 'The key is not known.',
  revoked: 'The key was revoked, or is not valid at this time.',
  agent: 'The key may not sign for this agent.',
  merkle: 'The samples are not those that the batch header was signed over.',
  message_id: 'The message_id is not the one that agent, epoch, source, meter, resource and slot give.',
  headerless: 'The message has no batch header, and policy refuses such messages here.',
  future: 'The timestamp is further ahead than the clock window allows.',
  past: 'The timestamp is further back than the clock window allows.',
  oversized: 'The message is larger than is accepted.',
  conflict: 'The same message_id is stored with other content.',
  poison: 'Handling the message failed again and again.',
} as const;

export type RefusalReason = keyof typeof REFUSAL_REASONS;

/** A message cannot be accepted, and will not be when it is sent again. It goes to quarantine with the reason. */
export class Refusal extends MeteringError {
  readonly code = 'MTR_REFUSED';
  readonly retryable = false;
  readonly reason: RefusalReason;
  constructor(reason: RefusalReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}
