import type { ListedModel } from '../model-list.ts';

/** One model in OpenAI's list, with vLLM's `root`, `parent` and `max_model_len` where known. */
export interface OpenAiModel {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  readonly root?: string;
  readonly parent?: string;
  readonly max_model_len?: number;
}

/** OpenAI's model object; what is null is left out of it. */
export function openAiModel(facts: ListedModel): OpenAiModel {
  return {
    id: facts.id,
    object: 'model',
    created: facts.createdSeconds,
    owned_by: facts.ownedBy,
    ...(facts.root === null ? {} : { root: facts.root }),
    ...(facts.parent === null ? {} : { parent: facts.parent }),
    ...(facts.contextTokens === null ? {} : { max_model_len: facts.contextTokens }),
  };
}
