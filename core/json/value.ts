/** A number exactly as it was spelled: a JSON number literal, or Python's `NaN`, `Infinity`, `-Infinity`. */
export class JsonNumber {
  readonly literal: string;

  /** @param literal is not checked here (the parser makes millions of these): whoever spells one answers for it */
  constructor(literal: string) {
    this.literal = literal;
  }
}

/** A Map, so that no key is special (`__proto__`) and none is moved (JavaScript objects list integer-like keys first). */
export type JsonObject = Map<string, JsonValue>;

export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | JsonObject;

export function isJsonObject(v: JsonValue | undefined): v is JsonObject {
  return v instanceof Map;
}
