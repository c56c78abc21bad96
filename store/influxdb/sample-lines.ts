import type { ReceivedSample } from '@nephometer/core';
import type { Classified } from './classify.ts';
import { bucketKey, indexPoint, likelyPlace } from './key-index.ts';
import { lineOf, Places } from './line.ts';
import type { Place } from './line.ts';
import { spotOf } from './look.ts';
import type { Looked, TickRow } from './look.ts';
import { oddLines } from './odd-ids.ts';
import { oddIdsOf } from './origin.ts';
import { samplePoint } from './sample-point.ts';
import { spotKey } from './sample-rows.ts';
import type { MessageRow } from './sample-rows.ts';
import type { WriterSession } from './writer.ts';

/** What tells of the batches' ids; it must be written before their samples are. */
export function noticeLines({ arrived, ticks }: Looked, session: WriterSession): string[] {
  const { writer } = session;
  const places = new Map<string, Places>();
  const lines = arrived.flatMap(({ batch: { digest }, origin }) =>
    origin.ticks.flatMap((key) => {
      const found = ticks.get(key);
      if (found?.rows.some(([, by, , of]) => by === writer && of === digest) === true) return [];
      const place = placesOf(places, bucketKey(key), () => new Places(found?.placesOf(writer))).take();
      const row: TickRow = [key, writer, place, digest];
      return lineOf(indexPoint('tick', row));
    }),
  );
  const odd = arrived.flatMap(({ batch, origin }) => oddIdsOf(batch, origin));
  return [...lines, ...oddLines(odd, writer, () => session.noteTime())];
}

/** The lines of each batch's samples and of their entries in the index. */
export function sampleLines(looked: Looked, classified: readonly Classified[], session: WriterSession): string[][] {
  const { writer } = session;
  const entries = new EntryPlaces(looked.messages, writer);
  const spots = new SamplePlaces(looked.stored, session);
  return classified.map(({ batch: { digest }, kept }) =>
    kept.flatMap(({ sample, index, content }) => {
      const { resource, at } = spotOf(sample);
      const place = spots.placeOf(sample, digest, index);
      const entryPlace = entries.placeOf(sample.messageId, digest, index);
      const row: MessageRow = [sample.messageId, writer, entryPlace, digest, index, at, resource, content];
      return [lineOf(samplePoint({ sample, digest, index, writer, place })), lineOf(indexPoint('message', row))];
    }),
  );
}

/** Places of samples. What an attempt before this one wrote is written again at its place. */
class SamplePlaces {
  readonly #stored: Looked['stored'];
  readonly #session: WriterSession;
  readonly #places = new Map<string, Places>();

  constructor(stored: Looked['stored'], session: WriterSession) {
    this.#stored = stored;
    this.#session = session;
  }

  placeOf(sample: ReceivedSample, digest: string, index: number): Place {
    const { writer, spots } = this.#session;
    const spot = spotOf(sample);
    const key = spotKey(spot);
    const there = (this.#stored.get(key) ?? []).filter((other) => other.writer === writer);
    const again = there.find((other) => other.digest === digest && other.index === index);
    const free = (): Places =>
      new Places(
        there.map((other) => other.place),
        spots.isKnown(spot.at) ? spots.next(key) : 0,
      );
    const place = again?.place ?? placesOf(this.#places, key, free).take();
    spots.take(key, spot.at, place);
    return place;
  }
}

/** Places of entries in the index of message_ids. Of an id that was not asked for nobody knows what is taken. */
class EntryPlaces {
  readonly #messages: Looked['messages'];
  readonly #writer: string;
  readonly #places = new Map<string, Places>();

  constructor(messages: Looked['messages'], writer: string) {
    this.#messages = messages;
    this.#writer = writer;
    for (const [id, found] of messages) placesOf(this.#places, bucketKey(id), () => new Places(found.placesOf(writer)));
  }

  placeOf(id: string, digest: string, index: number): Place {
    const isAgain = ([, by, , of, at]: MessageRow): boolean => by === this.#writer && of === digest && at === index;
    const again = this.#messages.get(id)?.rows.find(isAgain);
    return again?.[2] ?? placesOf(this.#places, bucketKey(id), () => new Places([], likelyPlace(id))).take();
  }
}

function placesOf(all: Map<string, Places>, key: string, make: () => Places): Places {
  let places = all.get(key);
  if (places === undefined) {
    places = make();
    all.set(key, places);
  }
  return places;
}
