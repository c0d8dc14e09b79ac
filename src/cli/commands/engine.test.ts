import assert from 'node:assert/strict';
import { createServer } from 'node:net';
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

test('every option of the table reaches the server', () => {
  const defaults = resolveEngineOptions(engineServerOptions(parse([])));
  const changed: string[] = [];
  for (const { flag, kind, choices, default: byDefault } of ENGINE_OPTIONS) {
    if (flag === 'listen') continue;
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
  const flags = ENGINE_OPTIONS.map(({ flag }) => flag).filter((flag) => flag !== 'listen');
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

test('engine names the mistake and its exit code', async () => {
  const busy = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => busy.once('listening', resolve));
  const address = busy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const tries: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['--listen', 'nowhere'], EXIT_CODES.usage, /host:port/],
    [['--listen', `127.0.0.1:${port}`], EXIT_CODES.listen, /EADDRINUSE/],
    [['--max-num-batched-tokens', '5'], EXIT_CODES.usage, /below maxNumSeqs/],
  ];
  for (const [args, code, message] of tries) {
    const { context, texts } = createContext();
    assert.equal(await runEngine(parse(args), context), code);
    assert.match(texts.join(''), message);
  }
  busy.close();
});
