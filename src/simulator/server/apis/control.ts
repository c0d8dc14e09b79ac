import type { Exchange } from '../exchange.ts';
import { parseFaults } from '../faults.ts';
import { badRequest, modelNotFound, sendOpenAiError, type EngineHost } from '../host.ts';
import { readString, type JsonObject } from '../json-value.ts';

/** Answers `GET /v1/models/{id}`; ids may contain slashes. */
export function handleModel(exchange: Exchange, host: EngineHost): void {
  const id = decodeURIComponent(exchange.path.slice('/v1/models/'.length));
  const row = host.served.list().find((model) => model.id === id);
  if (row === undefined) sendOpenAiError(exchange, modelNotFound(id));
  else exchange.sendJson(200, row);
}

/** Answers `POST /v1/load_lora_adapter` once the adapter is loaded. */
export async function handleLoadAdapter(
  exchange: Exchange,
  host: EngineHost,
  body: JsonObject,
): Promise<void> {
  const name = readString(body, 'lora_name');
  const path = readString(body, 'lora_path');
  if (name === null || name === '' || path === null) {
    sendOpenAiError(exchange, badRequest('lora_name and lora_path are required'));
    return;
  }
  if (host.served.names.includes(name)) {
    sendOpenAiError(exchange, badRequest(`${name} is the name of the base model`));
    return;
  }
  const result = await host.driver.loadAdapter(name);
  if (result === 'already_loaded') {
    sendOpenAiError(exchange, badRequest(`The lora adapter '${name}' has already been loaded.`));
    return;
  }
  if (result === 'no_adapter_slots') {
    sendOpenAiError(exchange, badRequest('This server runs without adapter slots.'));
    return;
  }
  host.served.addAdapter({ name, baseModel: host.served.baseName, path });
  exchange.send(200, 'text/plain', `Success: LoRA adapter '${name}' added successfully.`);
}

/** Answers `POST /v1/unload_lora_adapter`; refused while requests use the adapter. */
export function handleUnloadAdapter(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  const name = readString(body, 'lora_name') ?? '';
  if (!host.served.hasAdapter(name)) {
    const message = `The lora adapter '${name}' cannot be found.`;
    sendOpenAiError(exchange, { ...modelNotFound(name), message });
    return;
  }
  if (host.model.unloadAdapter(name) === 'in_use') {
    sendOpenAiError(exchange, badRequest(`The lora adapter '${name}' is in use.`));
    return;
  }
  host.served.removeAdapter(name);
  exchange.send(200, 'text/plain', `Success: LoRA adapter '${name}' removed successfully.`);
}

/** Answers `POST /sleep?level=1`. */
export function handleSleep(exchange: Exchange, host: EngineHost): void {
  const level = exchange.query.get('level') ?? '1';
  if (level !== '1' && level !== '2') {
    sendOpenAiError(exchange, badRequest('level must be 1 or 2', 'level'));
    return;
  }
  host.driver.sleep(level === '1' ? 1 : 2);
  exchange.send(200, 'text/plain', '');
}

/** Answers `POST /wake_up` once the engine works again. */
export async function handleWake(exchange: Exchange, host: EngineHost): Promise<void> {
  await host.driver.wake();
  exchange.send(200, 'text/plain', '');
}

/** Answers `POST /admin/failures` with the settings as they are after the change. */
export function handleFailures(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  const changes = parseFaults(body);
  if (typeof changes === 'string') {
    sendOpenAiError(exchange, badRequest(changes));
    return;
  }
  host.injectFaults(changes);
  exchange.sendJson(200, host.faults());
}
