import { readFile } from 'node:fs/promises';

/** Read at each use, so that a rotated secret is taken up without a restart. @throws Error that names the file only */
export async function secretIn(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trimEnd();
  } catch (cause) {
    throw new Error(`the secret in ${file} cannot be read: ${cause instanceof Error ? cause.message : ''}`, { cause });
  }
  if (text === '' || /[\r\n]/.test(text)) throw new Error(`the secret in ${file} must be one line that is not empty`);
  return text;
}
