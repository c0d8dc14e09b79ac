import { createSocket } from 'node:dgram';

/** One record of an answer. */
export type DnsRecord =
  | { readonly type: 'A'; readonly name: string; readonly ttl: number; readonly address: string }
  | { readonly type: 'AAAA'; readonly name: string; readonly ttl: number; readonly address: string }
  | {
      readonly type: 'SRV';
      readonly name: string;
      readonly ttl: number;
      readonly port: number;
      readonly target: string;
    };

/** A name server of the test, over real UDP. */
export interface DnsServer {
  readonly port: number;
  /** What it knows; a test may change it while it runs. */
  records: readonly DnsRecord[];
  /**
   * Response code of every answer: 0 none, 2 server failure, 3 no such name; null: no answer at
   * all.
   */
  code: 0 | 2 | 3 | null;
  /** Questions so far, as `A name`. */
  readonly asked: string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<number, DnsRecord['type']>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' };

/** Starts a server on a free UDP port of 127.0.0.1 (RFC 1035, section 4; SRV by RFC 2782). */
export async function startDnsServer(records: readonly DnsRecord[]): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const state = { records, code: 0 as DnsServer['code'] };
  socket.on('message', (query, peer) => {
    const { name, type, end } = readQuestion(query);
    asked.push(`${type ?? 'other'} ${name}`);
    if (state.code === null) return;
    const found = state.code === 0 ? state.records : [];
    const answers = found.filter((record) => record.type === type && record.name === name);
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180 | state.code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    header.writeUInt32BE(0, 8);
    socket.send(
      Buffer.concat([header, query.subarray(12, end), ...answers.map(encodeRecord)]),
      peer.port,
      peer.address,
    );
  });
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  return {
    port: socket.address().port,
    asked,
    get records() {
      return state.records;
    },
    set records(next) {
      state.records = next;
    },
    get code() {
      return state.code;
    },
    set code(next) {
      state.code = next;
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readQuestion(query: Buffer): {
  name: string;
  type: DnsRecord['type'] | null;
  end: number;
} {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = TYPES[query.readUInt16BE(at + 1)] ?? null;
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 };
}

function encodeRecord(record: DnsRecord): Buffer {
  const data = encodeData(record);
  const head = Buffer.alloc(12);
  // The name is a pointer to the question's, which begins at byte 12.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(
    Number(Object.entries(TYPES).find(([, type]) => type === record.type)?.[0]),
    2,
  );
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(record.ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function encodeData(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'AAAA':
      return Buffer.from(
        record.address
          .split(':')
          .map((part) => part.padStart(4, '0'))
          .join(''),
        'hex',
      );
    case 'SRV': {
      const head = Buffer.alloc(6);
      head.writeUInt16BE(record.port, 4);
      const labels = record.target.split('.').map((label) => {
        return Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]);
      });
      return Buffer.concat([head, ...labels, Buffer.from([0])]);
    }
  }
}
