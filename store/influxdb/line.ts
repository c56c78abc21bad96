import type { Micros } from '@nephometer/core';
import { chunkText, encodeText } from './text.ts';

/** Tags by name; '' leaves one out. */
export type Tags = Readonly<Record<string, string>>;

/** Points of one series at one microsecond are told apart by a place: 0..999 in the nanoseconds, beyond that by a tag. */
export type Place = number;
export const PLACES_PER_LANE = 1000;

export interface Point {
  readonly measurement: string;
  readonly tags: Tags;
  /** Values in line protocol: `stringField`, `textFields`, or a number's text. */
  readonly fields: Readonly<Record<string, string>>;
  readonly at: Micros;
  readonly place: Place;
}

/** One line of line protocol. Built here, since clients round integers and timestamps. */
export function lineOf({ measurement, tags, fields, at, place }: Point): string {
  let line = measurement;
  for (const [name, value] of Object.entries(tags)) if (value !== '') line += `,${name}=${escapeTag(value)}`;
  if (place >= PLACES_PER_LANE) line += `,lane=${Math.floor(place / PLACES_PER_LANE)}`;
  const values = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return `${line} ${values.join(',')} ${nanosOf(at, place % PLACES_PER_LANE)}`;
}

/** Backslashes and line ends are encoded before (see text.ts). */
function escapeTag(value: string): string {
  return value.replace(/[,= ]/g, '\\$&');
}

export function stringField(text: string): string {
  return quoted(encodeText(text));
}

/** A text of any length as `NAME`, `NAME1`, `NAME2`, ... */
export function textFields(name: string, text: string): Record<string, string> {
  return Object.fromEntries(chunkText(text).map((chunk, i) => [i === 0 ? name : `${name}${i}`, quoted(chunk)]));
}

function quoted(encoded: string): string {
  return `"${encoded.replaceAll('"', '\\"')}"`;
}

/** Nanoseconds as text: a double does not hold them. */
export function nanosOf(at: Micros, nanos: number): string {
  return at > 0 ? `${at}${String(nanos).padStart(3, '0')}` : String(BigInt(at) * 1000n + BigInt(nanos));
}

/** The microsecond of a time as InfluxDB answers it: RFC 3339 in UTC with up to nine digits of fraction. */
export function microsOf(time: string): Micros {
  const dot = time.indexOf('.');
  if (dot < 0) return Date.parse(time) * 1000;
  const fraction = time.slice(dot + 1, -1).padEnd(9, '0');
  return Date.parse(`${time.slice(0, dot)}Z`) * 1000 + Number(fraction.slice(0, 6));
}

/** The lowest places, from one on, that are not taken yet. */
export class Places {
  readonly #taken: Set<Place>;
  #next: Place;

  constructor(taken: Iterable<Place> = [], first: Place = 0) {
    this.#taken = new Set(taken);
    this.#next = first;
  }

  take(): Place {
    while (this.#taken.has(this.#next)) this.#next++;
    return this.#next++;
  }
}
