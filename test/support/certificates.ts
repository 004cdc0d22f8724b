import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../core/errors.ts';

/** An authority of the tests' own, and what it signs; every file is in one folder. */
export interface TestAuthority {
  caFile: string;
  /** A certificate with its key, by default for 127.0.0.1 and localhost; `days` below 0: it has expired. */
  issue: (
    file: string,
    options: { name: string; hosts?: string; days?: number; passphrase?: string },
  ) => IssuedCertificate;
}

export interface IssuedCertificate {
  certificateFile: string;
  keyFile: string;
}

/** @throws Error where openssl is not installed */
export function makeAuthority(folder: string, name = 'Test authority'): TestAuthority {
  const at = (file: string) => path.join(folder, file);
  const prefix = name.toLowerCase().replaceAll(/\W/g, '-');
  const caFile = at(`${prefix}.pem`);
  const caKey = at(`${prefix}.key`);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  openssl([
    'req',
    '-x509',
    ...newKey,
    '-nodes',
    '-keyout',
    caKey,
    '-out',
    caFile,
    '-subj',
    `/CN=${name}`,
    '-days',
    '30',
  ]);
  return {
    caFile,
    issue: (file, { name: subject, hosts = 'IP:127.0.0.1,DNS:localhost', days = 30, passphrase }) => {
      const [certificateFile, keyFile, request] = [at(`${file}.pem`), at(`${file}.key`), at(`${file}.csr`)];
      const lock = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
      openssl(['req', ...newKey, ...lock, '-keyout', keyFile, '-out', request, '-subj', `/CN=${subject}`]);
      const extensions = at(`${file}.ext`);
      writeFileSync(
        extensions,
        `subjectAltName=${hosts}\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n`,
      );
      openssl([
        ...['x509', '-req', '-in', request, '-CA', caFile, '-CAkey', caKey, '-CAcreateserial'],
        ...['-out', certificateFile, '-extfile', extensions, '-days', String(days)],
      ]);
      return { certificateFile, keyFile };
    },
  };
}

function openssl(args: readonly string[]): void {
  try {
    execFileSync('openssl', args, { stdio: 'pipe' });
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      throw new Error('These tests make certificates with openssl: install it.', { cause: error });
    throw error;
  }
}
