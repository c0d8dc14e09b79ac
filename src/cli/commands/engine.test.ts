import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveEngineOptions } from '../../simulator/server/engine-options.ts';
import { ENGINE_OPTIONS } from '../../simulator/server/options.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import type { ParsedOptions } from '../options.ts';
import { parseOptions } from '../parse-options.ts';
import { engineServerOptions, runEngine } from './engine.ts';

function parse(args: readonly string[]): ParsedOptions {
  const parsed = parseOptions(ENGINE_OPTIONS, { args, env: {} });
  assert.ok(parsed.ok && parsed.value.kind === 'options');
  return parsed.value.options;
}

/** A model of 1.5 billion parameters, as its own configuration describes it. */
const SMALL_MODEL = {
  _name_or_path: 'tests/small',
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  vocab_size: 32_000,
  max_position_embeddings: 8192,
  torch_dtype: 'bfloat16',
};

/** A process that can be told to stop. */
function createContext(): { context: CommandContext; stop: () => void; texts: string[] } {
  const handlers: (() => void)[] = [];
  const texts: string[] = [];
  const context: CommandContext = {
    version: '0.0.0',
    writeOut: (text) => texts.push(text),
    writeError: (text) => texts.push(text),
    onSignal: (signal, handler) => {
      if (signal === 'SIGTERM') handlers.push(handler);
      return () => undefined;
    },
  };
  const stop = (): void => {
    for (const handler of handlers) handler();
  };
  return { context, stop, texts };
}

/** Flags that `runEngine` reads itself. */
const OWN_FLAGS: ReadonlySet<string> = new Set([
  'listen',
  'profile',
  'model-config',
  'accelerator',
  'tensor-parallel',
]);

test('every option of the table reaches the server', () => {
  const defaults = resolveEngineOptions(engineServerOptions(parse([])));
  const changed: string[] = [];
  for (const { flag, kind, choices, default: byDefault } of ENGINE_OPTIONS) {
    if (OWN_FLAGS.has(flag)) continue;
    let args = [`--${flag}`, '0.5'];
    if (kind === 'integer') args = [`--${flag}`, flag === 'max-num-seqs' ? '7' : '499'];
    if (kind === 'boolean') args = [`--no-${flag}`];
    if (kind === 'string' || kind === 'list') args = [`--${flag}`, 'other'];
    if (kind === 'choice') {
      args = [`--${flag}`, choices?.find((choice) => choice !== byDefault) ?? ''];
    }
    const options = resolveEngineOptions(engineServerOptions(parse(args)));
    try {
      assert.deepEqual(options, defaults);
    } catch {
      changed.push(flag);
    }
  }
  const flags = ENGINE_OPTIONS.map(({ flag }) => flag).filter((flag) => !OWN_FLAGS.has(flag));
  assert.deepEqual(changed, flags);
});

test('engine serves until it is told to stop', async () => {
  const { context, stop, texts } = createContext();
  const running = runEngine(parse(['--listen', '127.0.0.1:0', '--model', 'm']), context);
  while (texts.length === 0) await new Promise(setImmediate);
  const url = /http:\S+/.exec(texts[0] ?? '')?.[0] ?? '';
  assert.equal((await fetch(`${url}/health`)).status, 200);
  stop();
  assert.equal(await running, EXIT_CODES.ok);
  await assert.rejects(fetch(`${url}/health`));
});

test('engine imitates a model of its own, and a profile file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-engine-'));
  t.after(() => rm(folder, { recursive: true }));
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify(SMALL_MODEL));
  const file = join(folder, 'ours.json');
  await writeFile(file, '{"profile":"l4-8b","calibration":{"prefill":2}}');
  const tries: readonly (readonly [readonly string[], string])[] = [
    [['--model-config', config, '--accelerator', 'h100', '--tensor-parallel', '2'], 'small'],
    [['--profile', file], 'Llama-3.1-8B-Instruct'],
  ];
  for (const [args, model] of tries) {
    const { context, stop, texts } = createContext();
    const running = runEngine(parse(['--listen', '127.0.0.1:0', ...args]), context);
    while (texts.length === 0) await new Promise(setImmediate);
    const url = /http:\S+/.exec(texts[0] ?? '')?.[0] ?? '';
    const models = await (await fetch(`${url}/v1/models`)).text();
    assert.ok(models.includes(model), models);
    stop();
    assert.equal(await running, EXIT_CODES.ok);
  }
});

test('engine names the mistake and its exit code', async (t) => {
  const busy = createServer().listen(0, '127.0.0.1');
  t.after(() => busy.close());
  await new Promise((resolve) => busy.once('listening', resolve));
  const address = busy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const tries: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['--profile', 'h100-8'], EXIT_CODES.usage, /did you mean/],
    [['--profile', 'nowhere.json'], EXIT_CODES.usage, /nowhere.json cannot be read/],
    [['--accelerator', 'h100'], EXIT_CODES.usage, /needs --model-config/],
    [['--listen', 'nowhere'], EXIT_CODES.usage, /host:port/],
    [['--listen', `127.0.0.1:${port}`], EXIT_CODES.listen, /EADDRINUSE/],
    [['--max-num-batched-tokens', '5'], EXIT_CODES.usage, /below maxNumSeqs/],
  ];
  for (const [args, code, message] of tries) {
    const { context, texts } = createContext();
    assert.equal(await runEngine(parse(args), context), code);
    assert.match(texts.join(''), message);
  }
});
