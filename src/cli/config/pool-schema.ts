import { ENGINE_NAMES } from '../../protocol/engines/builtins.ts';
import type { EngineName } from '../../protocol/engines/dialect.ts';
import type { DnsRecordType, ObjectiveConfig } from './config.ts';
import type {
  FileDns,
  FileEndpoint,
  FileModel,
  FilePool,
  FileTarget,
  FileTier,
  FileUpstreamTls,
} from './file-config.ts';
import {
  choice,
  flag,
  integer,
  list,
  mapping,
  object,
  optional,
  required,
  text,
  withDefault,
  type Typed,
} from './schema-node.ts';
import { DAY_MS } from './units.ts';

const engine: Typed<EngineName> = choice(ENGINE_NAMES);
const modelNames = list(text('modelName'), 1);

const upstreamTls = object<FileUpstreamTls>({
  caFile: optional(
    text('path'),
    'PEM file of the authorities that may sign the servers’ certificates; without it, those that the system trusts.',
  ),
  certFile: optional(
    text('path'),
    'PEM file of the certificate that Penstock shows to the servers. Needs `keyFile`.',
  ),
  keyFile: optional(text('path'), 'PEM file of the private key of `certFile`.'),
  serverName: optional(
    text('hostName'),
    'Name that the servers’ certificates must carry; without it, the host of each URL.',
  ),
  skipVerify: withDefault(
    flag(),
    false,
    'Accept any certificate. For tests only: it gives up the protection that TLS is used for.',
  ),
});

const endpoint = object<FileEndpoint>(
  {
    url: required(
      text('url'),
      'Address of the server: origin and, where it has one, base path. `/v1` at its end is dropped.',
    ),
    labels: withDefault(
      mapping('labelName', text('labelValue')),
      {},
      'Free names and values, shown by the admin API.',
    ),
    engine: optional(engine, 'Engine of this server, in place of the pool’s.'),
    models: optional(modelNames, 'Models of this server, in place of the pool’s.'),
  },
  { shorthand: 'url' },
);

const RECORD_TYPES: readonly DnsRecordType[] = ['A', 'AAAA', 'SRV'];
const SCHEMES: readonly ('http' | 'https')[] = ['http', 'https'];

const dns = object<FileDns>({
  name: required(text('hostName'), 'Name to look up.'),
  type: withDefault(choice(RECORD_TYPES), 'A', 'Record type. SRV records carry their own port.'),
  port: optional(
    integer(1, 65_535),
    'Port of every endpoint. Needed for A and AAAA, refused for SRV.',
  ),
  scheme: withDefault(choice(SCHEMES), 'http', 'How to speak to the endpoints.'),
  minTtlMs: withDefault(
    integer(100, DAY_MS),
    1000,
    'An answer is used at least this long, so that a time to live of 0 does not flood the name server.',
  ),
  maxTtlMs: withDefault(
    integer(100, DAY_MS),
    60_000,
    'An answer is used at most this long, so that a long time to live does not hide a change for hours.',
  ),
  resolver: optional(
    text('resolver'),
    'Name server to ask, an address with or without a port (53); without it, the system’s.',
  ),
});

/** Schema of one entry of `pools`. */
export const POOL_SCHEMA: Typed<FilePool> = object<FilePool>(
  {
    name: required(text('poolName'), 'Name in targets, metrics and the admin API; unique.'),
    engine: optional(engine, 'Engine of the servers; without it, found out by probing each.'),
    models: optional(
      modelNames,
      'Models that the servers serve; without it, asked from each server.',
    ),
    endpoints: optional(list(endpoint, 1), 'The servers: each a URL, or a mapping.'),
    file: optional(
      text('path'),
      'File that lists the servers in YAML or JSON; watched, so that another program can keep it up to date.',
    ),
    dns: optional(
      dns,
      'The servers are what a DNS name resolves to; asked again as answers expire.',
    ),
    tls: optional(upstreamTls, 'How to speak TLS with servers whose URL is `https`.'),
  },
  { exactlyOne: ['endpoints', 'file', 'dns'] },
);

const target = object<FileTarget>({
  pool: optional(
    text('poolName'),
    'A pool of `pools`; without it, every pool that serves the model, those grouped from `servers` included.',
  ),
  model: optional(
    text('modelName'),
    'Name to send to the server; without it, the name of this entry. Clients see their own name in answers.',
  ),
  weight: withDefault(
    integer(0, 1_000_000),
    1,
    'Share of the requests, relative to the other targets. 0 gets none.',
  ),
});

const tier = object<FileTier>({
  maxPromptTokens: optional(
    integer(1, 100_000_000),
    'Largest prompt it takes, in tokens estimated from bytes; without it, any.',
  ),
  maxOutputTokens: optional(
    integer(1, 100_000_000),
    'Largest output it takes, by what the request asks for; without it, any.',
  ),
  targets: required(list(target, 1), 'Where the requests of this size go.'),
});

const objective = object<ObjectiveConfig>({
  ttftMs: optional(integer(1, DAY_MS), 'Wanted time to the first token.'),
  tpotMs: optional(integer(1, DAY_MS), 'Wanted time per output token after the first.'),
});

/** Schema of one entry of `models`. */
export const MODEL_SCHEMA: Typed<FileModel> = object<FileModel>({
  name: required(text('modelName'), 'Name that clients use; unique among all names and aliases.'),
  aliases: withDefault(list(text('modelName')), [], 'Other names that mean the same.'),
  targets: optional(
    list(target, 1),
    'Where the requests go; without it, to every pool that serves a model of this name.',
  ),
  tiers: optional(
    list(tier, 1),
    'Instead of `targets`: the first tier that takes a request of its size is used, and the next ones when it is saturated. The last one takes what is too large for all.',
  ),
  objective: optional(
    objective,
    'Latency objective of requests that ask for none in their headers.',
  ),
});
