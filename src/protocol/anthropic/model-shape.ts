import type { ListedModel } from '../model-list.ts';

/** One model in Anthropic's list. */
export interface AnthropicModel {
  readonly type: 'model';
  readonly id: string;
  readonly display_name: string;
  /** RFC 3339. */
  readonly created_at: string;
  readonly max_input_tokens: number | null;
  /** Null: the gateway does not know them. */
  readonly max_tokens: null;
  readonly capabilities: null;
  readonly deprecated_at: null;
  readonly lifecycle: 'active';
  readonly line: null;
}

/** One page that holds every model; the gateway does not page its list. */
export interface AnthropicModelPage {
  readonly data: readonly AnthropicModel[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: false;
}

/** Anthropic's model object; the display name is the id, as engines report no other. */
export function anthropicModel(facts: ListedModel): AnthropicModel {
  return {
    type: 'model',
    id: facts.id,
    display_name: facts.id,
    created_at: new Date(facts.createdSeconds * 1000).toISOString(),
    max_input_tokens: facts.contextTokens,
    max_tokens: null,
    capabilities: null,
    deprecated_at: null,
    lifecycle: 'active',
    line: null,
  };
}

/** Anthropic's model list. */
export function anthropicModelPage(models: readonly ListedModel[]): AnthropicModelPage {
  return {
    data: models.map(anthropicModel),
    first_id: models.at(0)?.id ?? null,
    last_id: models.at(-1)?.id ?? null,
    has_more: false,
  };
}
