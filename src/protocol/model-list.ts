import { anthropicModel, anthropicModelPage } from './anthropic/model-shape.ts';
import type { ApiFamily } from './api-table.ts';
import { openAiModel } from './openai/model-shape.ts';

/** One entry of the model list: a base model, an adapter or an alias. */
export interface ListedModel {
  readonly id: string;
  /** Unix seconds, whole. */
  readonly createdSeconds: number;
  readonly ownedBy: string;
  /** The name the engine serves when it differs from the id; null when unknown. */
  readonly root: string | null;
  /** For an adapter, its base model; null otherwise. */
  readonly parent: string | null;
  /** Longest context in tokens; null when the engine does not say. */
  readonly contextTokens: number | null;
}

/** The body of `GET /v1/models` in the shape of the family. */
export function encodeModelList(family: ApiFamily, models: readonly ListedModel[]): Buffer {
  const list =
    family === 'anthropic'
      ? anthropicModelPage(models)
      : { object: 'list', data: models.map(openAiModel) };
  return Buffer.from(JSON.stringify(list));
}

/** The body of `GET /v1/models/{id}` in the shape of the family. */
export function encodeModel(family: ApiFamily, model: ListedModel): Buffer {
  return Buffer.from(
    JSON.stringify(family === 'anthropic' ? anthropicModel(model) : openAiModel(model)),
  );
}
