import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';

import { UP_OPTIONS } from '../up-options.ts';
import { parseOptions } from '../parse-options.ts';
import type { ParsedOptions } from '../options.ts';
import { formatHostPort } from './address.ts';
import type { PenstockConfig } from './config.ts';
import { defaultConfig, loadConfig, parseConfig } from './load.ts';
import { loadUpConfig, mergeServers } from './overrides.ts';
import { formatProblem } from './problem.ts';
import { redactConfig } from './redact.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../test/golden/config');

function options(args: readonly string[], env: Record<string, string> = {}): ParsedOptions {
  const parsed = parseOptions(UP_OPTIONS, { args, env });
  assert.ok(parsed.ok && parsed.value.kind === 'options');
  return parsed.value.options;
}

async function up(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<PenstockConfig> {
  const loaded = await loadUpConfig(options(args, env));
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.error.map(formatProblem).join('\n'));
  return loaded.value;
}

async function refusal(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const loaded = await loadUpConfig(options(args, env));
  return loaded.ok ? 'no problem' : loaded.error.map(formatProblem).join('\n');
}

test('certificates are read relative to the file, whatever the working folder is', async () => {
  const loaded = await loadConfig(path.join(FOLDER, 'good-tls.yaml'));
  assert.ok(loaded.ok);
  const certFile = path.join(FOLDER, 'tls/cert.pem');
  const certPem = readFileSync(certFile, 'utf8');
  const { tls } = loaded.value.listeners[0] ?? {};
  assert.equal(tls?.certFile, certFile);
  assert.equal(tls.certPem, certPem);
  assert.match(tls.keyPem, /PRIVATE KEY/);
  assert.equal(loaded.value.pools[0]?.tls?.caPem, certPem);
});

test('the redacted configuration holds no key and no certificate, only where they are', async () => {
  const loaded = await loadConfig(path.join(FOLDER, 'good-tls.yaml'));
  assert.ok(loaded.ok);
  const shown = JSON.stringify(redactConfig(loaded.value));
  assert.doesNotMatch(shown, /BEGIN|Pem/);
  assert.match(shown, /tls\/key\.pem/);
});

test('endpoints take what their pool sets, unless they set it themselves', async () => {
  const loaded = await loadConfig(path.join(FOLDER, 'good-everything.yaml'));
  assert.ok(loaded.ok);
  const [large] = loaded.value.pools;
  assert.ok(large?.source.kind === 'static');
  const [first, second] = large.source.endpoints;
  assert.equal(first?.engine, 'vllm');
  assert.deepEqual(first.models, ['llama-3.3-70b']);
  assert.equal(first.tls, large.tls);
  assert.equal(second?.engine, 'sglang');
  assert.deepEqual(second.models, ['llama-3.3-70b', 'other']);
});

test('a model without targets leads to whichever pool serves its name', () => {
  const loaded = parseConfig('models: [{name: m, aliases: [n]}]', 'x.yaml');
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.value.models, [
    {
      name: 'm',
      aliases: ['n'],
      tiers: [
        {
          maxPromptTokens: null,
          maxOutputTokens: null,
          targets: [{ pool: null, model: null, weight: 1 }],
        },
      ],
      objective: { ttftMs: null, tpotMs: null },
    },
  ]);
});

test('a file that cannot be read is one problem without a line', async () => {
  const loaded = await loadConfig('/nowhere/penstock.yaml');
  assert.ok(!loaded.ok);
  assert.deepEqual(loaded.error.map(formatProblem), [
    '/nowhere/penstock.yaml: cannot be read: no such file',
  ]);
});

test('aliases of aliases end in a problem, not in endless work', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level += 1) {
    const inner = Array(10)
      .fill(`*a${level - 1}`)
      .join(', ');
    lines.push(`a${level}: &a${level} [${inner}]`);
  }
  assert.ok(!parseConfig(`${lines.join('\n')}\nservers: *a8\n`, 'x.yaml').ok);
  const endpoint = '{url: http://a, labels: {a: b}, models: [m, m, m]}';
  const wide = `pools: [{name: a, endpoints: &e [${Array(9000).fill(endpoint).join(',')}]}`;
  const many = Array.from({ length: 99 }, (_, index) => `{name: p${index}, endpoints: *e}`);
  const loaded = parseConfig(`${wide}, ${many.join(',')}]`, 'x.yaml');
  assert.ok(!loaded.ok);
  assert.match(loaded.error.map(formatProblem).join('\n'), /the file is too large/);
});

const FRAGMENTS: readonly string[] = [
  ...'servers|pools|name|endpoints|http://a|null|0x1|: |  |- |? |# |[|]|{|}|&a |*a |<<|!!map'.split(
    '|',
  ),
  '\n',
  '---\n',
  '\t',
  '"',
  '|',
];

test('no text makes the loader throw', () => {
  const fragments = fc.constantFrom(...FRAGMENTS);
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(fragments, { maxLength: 25 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (source) => {
      const loaded = parseConfig(source, 'x.yaml');
      if (loaded.ok) return;
      assert.ok(loaded.error.length > 0);
      const lineCount = source.split('\n').length;
      for (const { line, column } of loaded.error) {
        assert.ok(line !== null && line >= 1 && line <= lineCount + 1);
        assert.ok(column !== null && column >= 1);
      }
    }),
    { numRuns: 500 },
  );
});

test('flags are added to or win over the file, and leave its listener’s TLS alone', async () => {
  const file = path.join(FOLDER, 'good-tls.yaml');
  const flags = '--listen 127.0.0.1:1 --admin=[::1]:2 --server http://B:80/ --log-level warn';
  const more = '--log-sample 0.5 --drain-timeout-ms 9';
  const config = await up(['--config', file, ...`${flags} ${more}`.split(' ')]);
  assert.deepEqual(config.listeners[0]?.address, { host: '127.0.0.1', port: 1 });
  assert.match(config.listeners[0].tls?.certPem ?? '', /CERTIFICATE/);
  assert.deepEqual(config.admin.address, { host: '::1', port: 2 });
  assert.deepEqual(config.servers, ['http://b']);
  assert.deepEqual(config.logging, { level: 'warn', sampleRequests: 0.5 });
  assert.deepEqual(config.drain, { timeoutMs: 9 });
  assert.equal(config.pools.length, 1);
});

test('what no flag sets keeps the file’s value, defaults of the option table do not win', async () => {
  const config = await up(['--config', path.join(FOLDER, 'good-everything.yaml')]);
  assert.equal(config.logging.level, 'debug');
  assert.equal(config.logging.sampleRequests, 0.01);
  assert.equal(config.drain.timeoutMs, 0);
  assert.equal(formatHostPort(config.listeners[0]!.address), '0.0.0.0:8080');
});

test('the environment wins over the file, a flag over the environment', async () => {
  const args = ['--config', path.join(FOLDER, 'good-everything.yaml'), '--listen', '127.0.0.1:5'];
  const config = await up(args, {
    PENSTOCK_LISTEN: '127.0.0.1:6',
    PENSTOCK_ADMIN: '127.0.0.1:7',
    PENSTOCK_SERVER: 'http://a,http://b',
  });
  assert.equal(config.listeners[0]?.address.port, 5);
  assert.equal(config.admin.address.port, 7);
  assert.deepEqual(config.servers, ['http://10.0.0.1:11434', 'http://a', 'http://b']);
});

test('the option table shows the defaults that the schema has', () => {
  const defaults = defaultConfig();
  const table = options([]);
  assert.equal(table.string('listen'), formatHostPort(defaults.listeners[0]!.address));
  assert.equal(table.string('admin'), formatHostPort(defaults.admin.address));
  assert.equal(table.string('log-level'), defaults.logging.level);
  assert.equal(table.number('log-sample'), defaults.logging.sampleRequests);
  assert.equal(table.number('drain-timeout-ms'), defaults.drain.timeoutMs);
  assert.equal(defaults.file, null);
});

test('a wrong value is blamed on the flag or the variable that gave it', async () => {
  assert.equal(
    await refusal(['--server', 'localhost:8000/?a', '--listen', ':80']),
    '--server: expected an http:// or https:// URL, or host:port, without user, query and fragment, ' +
      'got "localhost:8000/?a"; did you mean "localhost:8000/"?\n' +
      '--listen: expected host:port, got ":80"; did you mean "0.0.0.0:80"?',
  );
  assert.equal(
    await refusal(['--demo'], { PENSTOCK_ADMIN: '9' }),
    'PENSTOCK_ADMIN: expected host:port, got "9"; did you mean "127.0.0.1:9"?',
  );
});

test('nothing to serve and one port for two are refused', async () => {
  assert.match(await refusal([]), /^penstock up: there are no model servers; give --server URL/);
  const clash = await refusal(['--demo', '--listen', '0.0.0.0:9090']);
  assert.match(clash, /127\.0\.0\.1:9090 clashes with 0\.0\.0\.0:9090/);
  assert.equal(
    (await up(['--demo', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'])).file,
    null,
  );
});

test('merged servers are normalised, and each is kept once', () => {
  const config = mergeServers(defaultConfig(), ['http://A:80/', 'http://a', 'https://b/x/']);
  assert.deepEqual(config.servers, ['http://a', 'https://b/x']);
});
