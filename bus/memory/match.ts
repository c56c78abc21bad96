/** Whether a topic pattern takes a routing key: `*` stands for one word, `#` for any number of words, none too. */
export function topicMatches(pattern: string, routingKey: string): boolean {
  return wordsMatch(pattern.split('.'), routingKey.split('.'));
}

function wordsMatch(pattern: readonly string[], words: readonly string[]): boolean {
  // reached[i]: the words so far can be read by the first i parts of the pattern.
  let reached = closure(pattern, [true, ...pattern.map(() => false)]);
  for (const word of words) {
    const next = reached.map((_, i) => {
      const part = pattern[i - 1];
      if (part === '#') return reached[i] === true || reached[i - 1] === true;
      return i > 0 && reached[i - 1] === true && (part === '*' || part === word);
    });
    reached = closure(pattern, next);
  }
  return reached.at(-1) === true;
}

/** A `#` may also stand for nothing. */
function closure(pattern: readonly string[], reached: boolean[]): boolean[] {
  pattern.forEach((part, i) => {
    if (part === '#' && reached[i] === true) reached[i + 1] = true;
  });
  return reached;
}
