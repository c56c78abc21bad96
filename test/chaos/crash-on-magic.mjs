/**
 * Loaded into a collector by NODE_OPTIONS: the process dies at once when it reads a text that holds the magic word, as a
 * handler with a fatal bug would.
 */
const MAGIC = 'the magic word that kills';
const decode = Reflect.get(TextDecoder.prototype, 'decode');
TextDecoder.prototype.decode = function decodeOrDie(...args) {
  const text = decode.apply(this, args);
  if (text.includes(MAGIC)) process.kill(process.pid, 'SIGKILL');
  return text;
};
