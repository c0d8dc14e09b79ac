import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate with its key, as PEM texts. */
export interface TestCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** An authority that signs certificates for a test. */
export interface TestAuthority {
  /** Certificate of the authority itself. */
  readonly certPem: string;
  /** A certificate for a server on 127.0.0.1, `localhost` or `name`. */
  issueServer(name: string): TestCertificate;
  /** A certificate for a client. */
  issueClient(name: string): TestCertificate;
}

/**
 * Makes an authority. Node can read X.509 but not write it, and the tests must not need a program
 * that a machine may not have, so the few structures of RFC 5280 that it takes are encoded here.
 */
export function createAuthority(name: string): TestAuthority {
  const keys = createKeys();
  const issuer: Issuer = { name, key: keys.privateKey };
  const own = encodeCertificate(issuer, { name, key: keys.publicKey }, AUTHORITY_EXTENSIONS);
  const issue = (subject: string, extensions: readonly Buffer[]): TestCertificate => {
    const { publicKey, privateKey } = createKeys();
    return {
      certPem: encodeCertificate(issuer, { name: subject, key: publicKey }, extensions),
      keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    };
  };
  return {
    certPem: own,
    issueServer: (subject) =>
      issue(subject, [alternativeNames(['localhost', subject], '127.0.0.1')]),
    issueClient: (subject) => issue(subject, []),
  };
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

interface Subject {
  readonly name: string;
  readonly key: KeyObject;
}

function createKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

// ---- DER (X.690): a tag, a length, the content ----

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const BOOLEAN_TRUE: Buffer = Buffer.from([0x01, 0x01, 0xff]);

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/** Object identifiers by name, already encoded. */
const IDS = {
  ecdsaWithSha256: Buffer.from('2a8648ce3d040302', 'hex'),
  commonName: Buffer.from('550403', 'hex'),
  basicConstraints: Buffer.from('551d13', 'hex'),
  alternativeName: Buffer.from('551d11', 'hex'),
} as const;

const ALGORITHM = der(SEQUENCE, der(OBJECT_ID, IDS.ecdsaWithSha256));

function extension(id: Buffer, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [BOOLEAN_TRUE] : [];
  return der(SEQUENCE, der(OBJECT_ID, id), ...critical, der(OCTET_STRING, value));
}

const AUTHORITY_EXTENSIONS = [extension(IDS.basicConstraints, der(SEQUENCE, BOOLEAN_TRUE), true)];

function alternativeNames(names: readonly string[], address: string): Buffer {
  const dns = names.map((name) => der(0x82, Buffer.from(name)));
  const ip = der(0x87, Buffer.from(address.split('.').map(Number)));
  return extension(IDS.alternativeName, der(SEQUENCE, ...dns, ip));
}

function distinguishedName(name: string): Buffer {
  const value = der(UTF8_STRING, Buffer.from(name));
  return der(SEQUENCE, der(SET, der(SEQUENCE, der(OBJECT_ID, IDS.commonName), value)));
}

/** From the year 2020 to 2049, the last that this form of a time can say. */
const VALIDITY = der(
  SEQUENCE,
  der(UTC_TIME, Buffer.from('200101000000Z')),
  der(UTC_TIME, Buffer.from('491231235959Z')),
);

function encodeCertificate(
  issuer: Issuer,
  subject: Subject,
  extensions: readonly Buffer[],
): string {
  // The first byte is kept from 1 to 127: positive, and without a byte that could be left out.
  const serial = Buffer.concat([Buffer.from([0x11]), randomBytes(8)]);
  const version3 = der(0xa0, der(INTEGER, Buffer.from([2])));
  const added = extensions.length === 0 ? [] : [der(0xa3, der(SEQUENCE, ...extensions))];
  const content = der(
    SEQUENCE,
    version3,
    der(INTEGER, serial),
    ALGORITHM,
    distinguishedName(issuer.name),
    VALIDITY,
    distinguishedName(subject.name),
    subject.key.export({ type: 'spki', format: 'der' }),
    ...added,
  );
  const signature = sign('sha256', content, issuer.key);
  const whole = der(SEQUENCE, content, ALGORITHM, der(BIT_STRING, Buffer.from([0]), signature));
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
