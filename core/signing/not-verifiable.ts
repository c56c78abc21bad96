/** The message has no bytes to sign: it holds half of a surrogate pair, which UTF-8 cannot carry. */
export class NotVerifiable extends Error {
  override name = 'NotVerifiable';

  constructor() {
    super('Found half of a surrogate pair (such as \\ud800) in a message; text that UTF-8 can carry would be right.');
  }
}
