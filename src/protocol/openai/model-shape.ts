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

/** What OpenAI's model object is made from; null fields are left out of it. */
export interface OpenAiModelFacts {
  readonly id: string;
  readonly createdSeconds: number;
  readonly ownedBy: string;
  readonly root: string | null;
  readonly parent: string | null;
  readonly contextTokens: number | null;
}

/** OpenAI's model object. */
export function openAiModel(facts: OpenAiModelFacts): OpenAiModel {
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
