import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureTools } from './packages.ts';

const run = promisify(execFile);

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test's own, in a folder of the test's. */
export interface Authority extends Certificate {
  /** A certificate for a name, vouched for by this authority. @param alternatives such as `IP:127.0.0.1,DNS:localhost` */
  issue(name: string, alternatives?: string): Promise<Certificate>;
}

const DAYS = ['-days', '2'];
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Made by openssl, since Node can read certificates but not make them. */
export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const { openssl } = await ensureTools('openssl');
  const own = filesOf(folder, name);
  await run(openssl, ['req', '-x509', ...NEW_KEY, ...DAYS, ...subject(name), '-keyout', own.key, '-out', own.cert]);
  return {
    ...own,
    async issue(holder, alternatives = `DNS:${holder}`) {
      const issued = filesOf(folder, holder);
      const request = join(folder, `${holder}.csr`);
      const names = ['-addext', `subjectAltName=${alternatives}`];
      await run(openssl, ['req', ...NEW_KEY, ...subject(holder), ...names, '-keyout', issued.key, '-out', request]);
      const signer = ['-CA', own.cert, '-CAkey', own.key, '-CAcreateserial', '-copy_extensions', 'copy'];
      await run(openssl, ['x509', '-req', '-in', request, ...signer, ...DAYS, '-out', issued.cert]);
      return issued;
    },
  };
}

function filesOf(folder: string, name: string): Certificate {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

function subject(name: string): string[] {
  return ['-subj', `/CN=${name}`];
}
