/** The certificate authority of one sandbox, and the certificate of its APS controller. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { generate } from 'selfsigned';

export interface Certificates {
  /** PEM file of the authority: the `caFile` of a provider's entry. */
  caFile: string;
  key: string;
  cert: string;
}

const YEARS = 5;

/** Those in `directory`, made once: everybody who trusts this sandbox goes on trusting it after a restart. */
export async function certificates(directory: string): Promise<Certificates> {
  const files = {
    ca: path.join(directory, 'ca.pem'),
    key: path.join(directory, 'key.pem'),
    cert: path.join(directory, 'cert.pem'),
  };
  if (!Object.values(files).every((file) => existsSync(file))) await create(directory, files);
  return { caFile: files.ca, key: readFileSync(files.key, 'utf8'), cert: readFileSync(files.cert, 'utf8') };
}

async function create(directory: string, files: { ca: string; key: string; cert: string }): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const notAfterDate = new Date();
  notAfterDate.setFullYear(notAfterDate.getFullYear() + YEARS);
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', notAfterDate } as const;
  const authority = await generate([{ name: 'commonName', value: 'Onward sandbox authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'Onward sandbox APS controller' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 7, ip: '127.0.0.1' },
          { type: 2, value: 'localhost' },
          { type: 2, value: 'sandbox' },
        ],
      },
    ],
  });
  writeFileSync(files.key, server.private, { mode: 0o600 });
  writeFileSync(files.cert, server.cert);
  writeFileSync(files.ca, authority.cert);
}
