import { must } from '../../core/assert.ts';
import { readModelConfig } from './model-config.ts';
import type { ModelShape } from './model-shape.ts';

/** A `config.json` as far as it says how large a model is. */
type ModelConfig = Readonly<Record<string, unknown>>;

const LLAMA: ModelConfig = {
  model_type: 'llama',
  vocab_size: 128_256,
  head_dim: 128,
  num_key_value_heads: 8,
  max_position_embeddings: 131_072,
  tie_word_embeddings: false,
};
const QWEN_3: ModelConfig = {
  model_type: 'qwen3',
  vocab_size: 151_936,
  head_dim: 128,
  max_position_embeddings: 40_960,
  tie_word_embeddings: false,
  sliding_window: null,
};
const GPT_OSS: ModelConfig = {
  model_type: 'gpt_oss',
  vocab_size: 201_088,
  hidden_size: 2880,
  intermediate_size: 2880,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  head_dim: 64,
  num_experts_per_tok: 4,
  sliding_window: 128,
  max_position_embeddings: 131_072,
  tie_word_embeddings: false,
  quantization_config: { quant_method: 'mxfp4' },
};

/** Published configs by model name, reduced to what sizes depend on. */
export const MODEL_CONFIGS: Readonly<Record<string, ModelConfig>> = Object.freeze({
  'Qwen/Qwen2.5-7B-Instruct': {
    model_type: 'qwen2',
    vocab_size: 152_064,
    hidden_size: 3584,
    intermediate_size: 18_944,
    num_hidden_layers: 28,
    num_attention_heads: 28,
    num_key_value_heads: 4,
    max_position_embeddings: 32_768,
    sliding_window: 131_072,
    use_sliding_window: false,
    tie_word_embeddings: false,
  },
  'meta-llama/Llama-3.1-8B-Instruct': {
    ...LLAMA,
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
  },
  'meta-llama/Llama-3.3-70B-Instruct': {
    ...LLAMA,
    hidden_size: 8192,
    intermediate_size: 28_672,
    num_hidden_layers: 80,
    num_attention_heads: 64,
  },
  'meta-llama/Llama-3.1-405B-Instruct': {
    ...LLAMA,
    hidden_size: 16_384,
    intermediate_size: 53_248,
    num_hidden_layers: 126,
    num_attention_heads: 128,
  },
  'Qwen/Qwen3-32B': {
    ...QWEN_3,
    hidden_size: 5120,
    intermediate_size: 25_600,
    num_hidden_layers: 64,
    num_attention_heads: 64,
    num_key_value_heads: 8,
  },
  'Qwen/Qwen3-30B-A3B': {
    ...QWEN_3,
    model_type: 'qwen3_moe',
    hidden_size: 2048,
    intermediate_size: 6144,
    num_hidden_layers: 48,
    num_attention_heads: 32,
    num_key_value_heads: 4,
    num_experts: 128,
    num_experts_per_tok: 8,
    moe_intermediate_size: 768,
    decoder_sparse_step: 1,
    mlp_only_layers: [],
  },
  'Qwen/Qwen3-235B-A22B': {
    ...QWEN_3,
    model_type: 'qwen3_moe',
    hidden_size: 4096,
    intermediate_size: 12_288,
    num_hidden_layers: 94,
    num_attention_heads: 64,
    num_key_value_heads: 4,
    num_experts: 128,
    num_experts_per_tok: 8,
    moe_intermediate_size: 1536,
    decoder_sparse_step: 1,
    mlp_only_layers: [],
  },
  'mistralai/Mixtral-8x7B-Instruct-v0.1': {
    model_type: 'mixtral',
    vocab_size: 32_000,
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    num_local_experts: 8,
    num_experts_per_tok: 2,
    sliding_window: null,
    max_position_embeddings: 32_768,
    tie_word_embeddings: false,
  },
  'openai/gpt-oss-20b': { ...GPT_OSS, num_hidden_layers: 24, num_local_experts: 32 },
  'openai/gpt-oss-120b': { ...GPT_OSS, num_hidden_layers: 36, num_local_experts: 128 },
  'deepseek-ai/DeepSeek-R1': {
    model_type: 'deepseek_v3',
    vocab_size: 129_280,
    hidden_size: 7168,
    intermediate_size: 18_432,
    moe_intermediate_size: 2048,
    num_hidden_layers: 61,
    num_attention_heads: 128,
    num_key_value_heads: 128,
    q_lora_rank: 1536,
    kv_lora_rank: 512,
    qk_rope_head_dim: 64,
    qk_nope_head_dim: 128,
    v_head_dim: 128,
    n_routed_experts: 256,
    n_shared_experts: 1,
    num_experts_per_tok: 8,
    first_k_dense_replace: 3,
    moe_layer_freq: 1,
    max_position_embeddings: 163_840,
    tie_word_embeddings: false,
    quantization_config: { quant_method: 'fp8' },
  },
});

/** Shapes of the models of `MODEL_CONFIGS`. */
export const MODEL_SHAPES: readonly ModelShape[] = Object.freeze(
  Object.entries(MODEL_CONFIGS).map(([name, config]) => {
    const shape = readModelConfig({ ...config, _name_or_path: name });
    return Object.freeze(must(shape.ok ? shape.value : null, `config of ${name}`));
  }),
);

/** The shape of a model by its full name or the part after the slash, case ignored, or null. */
export function findModelShape(name: string): ModelShape | null {
  const wanted = name.toLowerCase();
  const isMeant = (known: string): boolean => known === wanted || known.endsWith(`/${wanted}`);
  return MODEL_SHAPES.find((shape) => isMeant(shape.name.toLowerCase())) ?? null;
}
