import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { codeOf } from './errors.ts';

/** Files in PEM form, by absolute path; an empty string stands for none. */
export interface TlsFiles {
  /** Certificates of the authorities to trust, instead of those that Node and the system know. */
  caFile: string;
  /** Shown to a server that demands one (mTLS), with everything between it and the authority. */
  certificateFile: string;
  keyFile: string;
  /** A secret: never printed. */
  keyPassphrase: string;
}

/** What Node's TLS takes. */
export interface TlsOptions {
  /** Written out, so that NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off. */
  rejectUnauthorized: true;
  ca?: string;
  cert?: string;
  key?: string;
  passphrase?: string;
}

/** Reads the files, which {@link findTlsProblems} found sound; without any, the system's authorities are trusted. */
export function tlsOptions(files: TlsFiles | undefined): TlsOptions {
  const { caFile = '', certificateFile = '', keyFile = '', keyPassphrase = '' } = files ?? {};
  return {
    rejectUnauthorized: true,
    ...(caFile === '' ? {} : { ca: readFileSync(caFile, 'utf8') }),
    ...(certificateFile === '' ? {} : { cert: readFileSync(certificateFile, 'utf8') }),
    ...(keyFile === '' ? {} : { key: readFileSync(keyFile, 'utf8') }),
    ...(keyPassphrase === '' ? {} : { passphrase: keyPassphrase }),
  };
}

/** For clients that speak HTTP through Node's own modules; ten connections at most. */
export function httpsAgent(files: TlsFiles | undefined): Agent {
  return new Agent({ ...tlsOptions(files), keepAlive: true, maxSockets: 10 });
}

/** What would keep these files from being used, each with the setting it is about. */
export function findTlsProblems(
  files: TlsFiles,
  now = Date.now(),
): { key: keyof TlsFiles; message: string }[] {
  const problems: { key: keyof TlsFiles; message: string }[] = [];
  const attempt = <T>(key: keyof TlsFiles, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      problems.push({
        key,
        message: error instanceof TlsFileError ? error.message : reasonOf(files[key], error),
      });
      return undefined;
    }
  };
  const { caFile, certificateFile, keyFile, keyPassphrase } = files;
  if (caFile !== '') {
    attempt('caFile', () => {
      const authorities = readCertificates(caFile);
      // A bundle often carries some that have run out; one that is valid is enough to try.
      if (authorities.every((one) => validityProblem(one, now) !== undefined))
        demandValid(authorities[0], now);
    });
  }
  const certificate =
    certificateFile === ''
      ? undefined
      : attempt('certificateFile', () => {
          const [own] = readCertificates(certificateFile);
          demandValid(own, now);
          return own;
        });
  const key = keyFile === '' ? undefined : attempt('keyFile', () => readKey(keyFile, keyPassphrase));
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    problems.push({ key: 'keyFile', message: `${keyFile} is not the key of the certificate` });
  }
  if ((certificateFile === '') !== (keyFile === '')) {
    const missing = keyFile === '' ? 'keyFile' : 'certificateFile';
    problems.push({ key: missing, message: 'must be set: a client shows a certificate and has its key' });
  }
  return problems;
}

class TlsFileError extends Error {}

function readCertificates(file: string): X509Certificate[] {
  const blocks =
    readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  if (blocks.length === 0) throw new TlsFileError(`${file} holds no certificate in PEM form`);
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new TlsFileError(`${file} holds a damaged certificate`);
    }
  });
}

function demandValid(certificate: X509Certificate | undefined, now: number): void {
  const problem = certificate && validityProblem(certificate, now);
  if (problem !== undefined) throw new TlsFileError(problem);
}

function validityProblem({ validFrom, validTo, subject }: X509Certificate, now: number): string | undefined {
  const who = subject.replaceAll('\n', ', ');
  const day = (text: string) => new Date(text).toISOString().slice(0, 10);
  if (Date.parse(validTo) < now) return `the certificate of ${who} expired on ${day(validTo)}`;
  if (Date.parse(validFrom) > now) return `the certificate of ${who} is not valid before ${day(validFrom)}`;
  return undefined;
}

function readKey(file: string, passphrase: string): KeyObject {
  const pem = readFileSync(file, 'utf8');
  try {
    return createPrivateKey({ key: pem, ...(passphrase === '' ? {} : { passphrase }) });
  } catch (error) {
    const code = codeOf(error) ?? '';
    // Node's own code, or that of OpenSSL 3, which gives up asking.
    if (/MISSING_PASSPHRASE|INTERRUPTED_OR_CANCELLED/.test(code))
      throw new TlsFileError(`${file} needs its passphrase`);
    if (code.includes('BAD_DECRYPT')) throw new TlsFileError(`${file} does not open with this passphrase`);
    throw new TlsFileError(`${file} holds no private key in PEM form`);
  }
}

function reasonOf(file: string, error: unknown): string {
  const code = codeOf(error) ?? 'unknown reason';
  return code === 'ENOENT' ? `${file} does not exist` : `${file} cannot be read (${code})`;
}

/**
 * What went wrong where a connection was to be encrypted and trusted, from the code or the words of Node and
 * OpenSSL; undefined where the failure is another one. Some clients keep only the words.
 */
export function tlsFailure(error: unknown): string | undefined {
  const text = `${codeOf(error) ?? ''} ${error instanceof Error ? error.message : ''}`;
  return failures.find(([pattern]) => pattern.test(text))?.[1];
}

const failures: readonly (readonly [RegExp, string])[] = [
  [/CERT_HAS_EXPIRED|certificate has expired|alert certificate expired/i, 'its certificate has expired'],
  [/CERT_NOT_YET_VALID|certificate is not yet valid/i, 'its certificate is not valid yet'],
  [
    /ALTNAME_INVALID|HOSTNAME_MISMATCH|does not match certificate|not in the cert's/i,
    'its certificate is for another host name',
  ],
  [
    /UNABLE_TO_(GET|VERIFY)|SELF_SIGNED|self.signed certificate|unable to (get|verify)|CERT_(UNTRUSTED|SIGNATURE)/i,
    'its certificate is from an authority that is not trusted here',
  ],
  [
    /alert (certificate required|bad certificate|unknown ca|handshake failure)|CERTIFICATE_REQUIRED|ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE|HANDSHAKE_FAILURE)/i,
    'it does not accept the certificate that is shown to it, or demands one',
  ],
  [/wrong version number|packet length too long|WRONG_VERSION_NUMBER/i, 'it does not speak TLS on this port'],
  [/\bCERT_|ERR_TLS|ERR_SSL|\bEPROTO\b|TLS connection was established/, 'the handshake failed'],
];
