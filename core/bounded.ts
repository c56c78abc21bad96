/**
 * All of a stream of bytes, unless there are more than `most`: then it is read no further.
 * @throws what `tooLarge` makes
 */
export async function readBounded(
  stream: AsyncIterable<Uint8Array>,
  most: number,
  tooLarge: () => Error,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.byteLength;
    if (size > most) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}
