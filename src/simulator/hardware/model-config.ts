import { fail, succeed, type Result } from '../../core/result.ts';
import { findQuantization } from './model-quantization.ts';
import type { ExpertShape, LatentAttention, ModelShape, WindowShape } from './model-shape.ts';

/** What is wrong with a model's config. */
export interface ModelConfigProblem {
  readonly kind: 'not_an_object' | 'field_missing' | 'field_invalid' | 'quantization_unknown';
  /** The field, as the file spells it; null when the whole is meant. */
  readonly field: string | null;
  /** One sentence for people. */
  readonly message: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads fields of one config and keeps the first problem met. */
class ConfigFields {
  problem: ModelConfigProblem | null = null;
  readonly #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  value(name: string): unknown {
    return this.#fields[name];
  }

  /** A number under the first of these names that is there and not null. */
  count(...names: readonly string[]): number {
    return this.countOr(null, ...names);
  }

  /** The same, or `fallback` when none is there. */
  countOr(fallback: number | null, ...names: readonly string[]): number {
    const name = names.find((each) => (this.#fields[each] ?? null) !== null);
    if (name === undefined) {
      if (fallback !== null) return fallback;
      const field = names[0] as string;
      this.#note('field_missing', field, `the config has no ${names.join(' or ')}`);
      return 1;
    }
    const value = this.#fields[name];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    this.#note('field_invalid', name, `${name} is no whole number of 0 or more`);
    return 1;
  }

  #note(kind: ModelConfigProblem['kind'], field: string, message: string): void {
    this.problem ??= { kind, field, message };
  }
}

/**
 * The shape of a model from its Hugging Face `config.json`, parsed: Llama, Mistral, Mixtral, Qwen
 * 2 and 3, gpt-oss, DeepSeek V2 and V3, Gemma, and what looks like them (gated feed-forward layers,
 * grouped-query or latent attention). The text part of a multimodal config is taken.
 */
export function readModelConfig(json: unknown): Result<ModelShape, ModelConfigProblem> {
  const outer = objectOf(json);
  if (outer === null) {
    return problem('not_an_object', null, 'the config is no JSON object');
  }
  const inner = objectOf(outer['text_config']);
  const fields: Fields = inner === null ? outer : { ...outer, ...inner };
  const quantization = findQuantization(fields);
  if (quantization === null) {
    return problem(
      'quantization_unknown',
      'quantization_config',
      'quantization_config names a method that is not known here',
    );
  }
  const config = new ConfigFields(fields);
  const shape = shapeOf(config, {
    name: nameOf(outer),
    family: typeof fields['model_type'] === 'string' ? fields['model_type'] : '',
  });
  if (config.problem !== null) return fail(config.problem);
  const broken = impossibleField(shape);
  if (broken !== null) return problem('field_invalid', broken, `${broken} must be at least 1`);
  return succeed({ ...shape, ...quantization });
}

type UnquantizedShape = Omit<ModelShape, 'precision' | 'quantized'>;

function shapeOf(
  config: ConfigFields,
  model: { readonly name: string; readonly family: string },
): UnquantizedShape {
  const layers = config.count('num_hidden_layers', 'n_layer');
  const hiddenSize = config.count('hidden_size', 'n_embd');
  const heads = config.count('num_attention_heads', 'n_head');
  const latent = latentOf(config);
  const kvHeads = config.countOr(heads, 'num_key_value_heads');
  const headDim = config.countOr(hiddenSize / Math.max(1, heads), 'head_dim');
  const attention =
    latent === null
      ? hiddenSize * headDim * (2 * heads + 2 * kvHeads)
      : latentParameters(config, { latent, hiddenSize, heads });
  const experts = expertsOf(config, { layers, hiddenSize });
  const vocabulary = config.count('vocab_size') * hiddenSize;
  const embeddingParameters = isTied(config, model.family) ? vocabulary : 2 * vocabulary;
  const shared =
    embeddingParameters +
    layers * attention +
    feedForwardParameters(config, { layers, hiddenSize, experts });
  const perExpert = experts === null ? 0 : experts.parameters * experts.layers;
  return {
    name: model.name,
    layers,
    hiddenSize,
    heads,
    kvHeads,
    headDim,
    latent,
    experts,
    window: windowOf(config, { layers, family: model.family }),
    parameters: shared + perExpert * (experts?.count ?? 0),
    activeParameters: shared + perExpert * (experts?.active ?? 0),
    embeddingParameters,
    maxPositionTokens: config.count('max_position_embeddings', 'n_positions'),
  };
}

function latentOf(config: ConfigFields): LatentAttention | null {
  if (typeof config.value('kv_lora_rank') !== 'number') return null;
  return {
    kvLoraRank: config.count('kv_lora_rank'),
    ropeHeadDim: config.count('qk_rope_head_dim'),
    nopeHeadDim: config.count('qk_nope_head_dim'),
    valueHeadDim: config.count('v_head_dim'),
  };
}

/** Projections of latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1). */
function latentParameters(
  config: ConfigFields,
  sizes: {
    readonly latent: LatentAttention;
    readonly hiddenSize: number;
    readonly heads: number;
  },
): number {
  const { latent, hiddenSize, heads } = sizes;
  const query = heads * (latent.nopeHeadDim + latent.ropeHeadDim);
  const queryRank = config.countOr(0, 'q_lora_rank');
  const queries = queryRank === 0 ? hiddenSize * query : queryRank * (hiddenSize + query);
  const down = hiddenSize * (latent.kvLoraRank + latent.ropeHeadDim);
  const up = latent.kvLoraRank * heads * (latent.nopeHeadDim + latent.valueHeadDim);
  return queries + down + up + heads * latent.valueHeadDim * hiddenSize;
}

function expertsOf(
  config: ConfigFields,
  sizes: { readonly layers: number; readonly hiddenSize: number },
): ExpertShape | null {
  const names = ['num_local_experts', 'num_experts', 'n_routed_experts'];
  const count = config.countOr(0, ...names);
  if (count === 0) return null;
  const width = config.count('moe_intermediate_size', 'intermediate_size');
  const dense = config.countOr(0, 'first_k_dense_replace');
  const skipped = config.value('mlp_only_layers');
  const step = Math.max(1, config.countOr(1, 'decoder_sparse_step', 'moe_layer_freq'));
  const sparse = sizes.layers - dense - (Array.isArray(skipped) ? skipped.length : 0);
  return {
    count,
    active: config.count('num_experts_per_tok', 'experts_per_token', 'top_k_experts'),
    layers: Math.floor(sparse / step),
    parameters: 3 * sizes.hiddenSize * width,
  };
}

/** Gated feed-forward layers that every token goes through, shared experts and routers. */
function feedForwardParameters(
  config: ConfigFields,
  sizes: {
    readonly layers: number;
    readonly hiddenSize: number;
    readonly experts: ExpertShape | null;
  },
): number {
  const { layers, hiddenSize, experts } = sizes;
  const expertLayers = experts === null ? 0 : experts.layers;
  const denseLayers = layers - expertLayers;
  const width = denseLayers === 0 ? 0 : config.count('intermediate_size', 'n_inner');
  const sharedWidth =
    config.countOr(0, 'shared_expert_intermediate_size') +
    config.countOr(0, 'n_shared_experts') * config.countOr(0, 'moe_intermediate_size');
  const router = experts === null ? 0 : experts.count;
  return (
    denseLayers * 3 * hiddenSize * width + expertLayers * hiddenSize * (3 * sharedWidth + router)
  );
}

/** Whether input and output embeddings are one; what their classes assume when it is not said. */
function isTied(config: ConfigFields, family: string): boolean {
  const said = config.value('tie_word_embeddings');
  return typeof said === 'boolean' ? said : family.startsWith('gemma');
}

function windowOf(
  config: ConfigFields,
  model: { readonly layers: number; readonly family: string },
): WindowShape | null {
  const tokens = config.value('sliding_window');
  if (typeof tokens !== 'number' || tokens < 1) return null;
  // Qwen 2 states a window and does not use it; others state one as long as their context.
  if (config.value('use_sliding_window') === false) return null;
  if (tokens >= config.countOr(0, 'max_position_embeddings')) return null;
  const layers = windowLayers(config, model);
  return layers === 0 ? null : { layers, tokens };
}

function windowLayers(
  config: ConfigFields,
  model: { readonly layers: number; readonly family: string },
): number {
  const types = config.value('layer_types');
  if (Array.isArray(types)) return types.filter((type) => type === 'sliding_attention').length;
  // Gemma 3: all but every sixth layer. gpt-oss and Gemma 2: every other one. Others: all.
  const pattern = config.countOr(0, 'sliding_window_pattern');
  if (pattern > 1) return model.layers - Math.floor(model.layers / pattern);
  if (model.family.startsWith('gemma3')) return model.layers - Math.floor(model.layers / 6);
  const isAlternating = model.family === 'gpt_oss' || model.family === 'gemma2';
  return isAlternating ? Math.ceil(model.layers / 2) : model.layers;
}

function impossibleField(shape: UnquantizedShape): string | null {
  if (shape.layers < 1) return 'num_hidden_layers';
  if (shape.hiddenSize < 1) return 'hidden_size';
  if (shape.heads < 1) return 'num_attention_heads';
  if (shape.kvHeads < 1) return 'num_key_value_heads';
  if (!(shape.headDim >= 1)) return 'head_dim';
  if (shape.maxPositionTokens < 1) return 'max_position_embeddings';
  const { experts } = shape;
  if (experts !== null && (experts.active < 1 || experts.active > experts.count)) {
    return 'num_experts_per_tok';
  }
  return null;
}

function nameOf(fields: Fields): string {
  const given = fields['_name_or_path'];
  if (typeof given === 'string' && given !== '') return given;
  return typeof fields['model_type'] === 'string' ? fields['model_type'] : 'model';
}

function objectOf(value: unknown): Fields | null {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : null;
}

function problem(
  kind: ModelConfigProblem['kind'],
  field: string | null,
  message: string,
): Result<never, ModelConfigProblem> {
  return fail({ kind, field, message });
}
