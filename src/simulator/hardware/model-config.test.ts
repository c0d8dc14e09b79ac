import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readModelConfig, type ModelConfigProblem } from './model-config.ts';
import { kvBytesOf, weightBytesOf, type ModelShape } from './model-shape.ts';
import { findModelShape, MODEL_CONFIGS } from './models.ts';

const LLAMA = MODEL_CONFIGS['meta-llama/Llama-3.1-8B-Instruct']!;

function read(config: unknown): ModelShape {
  const result = readModelConfig(config);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

function refuse(config: unknown): ModelConfigProblem {
  const result = readModelConfig(config);
  assert.ok(!result.ok);
  return result.error;
}

function shapeOf(name: string): ModelShape {
  const shape = findModelShape(name);
  assert.ok(shape !== null, name);
  return shape;
}

describe('sizes from config.json', () => {
  // Model cards and technical reports; the second is what one token goes through.
  const published: readonly (readonly [string, number, number])[] = [
    ['Qwen2.5-7B-Instruct', 7.61e9, 7.61e9],
    ['Llama-3.1-8B-Instruct', 8.03e9, 8.03e9],
    ['Llama-3.3-70B-Instruct', 70.6e9, 70.6e9],
    ['Llama-3.1-405B-Instruct', 405.9e9, 405.9e9],
    ['Qwen3-32B', 32.8e9, 32.8e9],
    ['Qwen3-30B-A3B', 30.5e9, 3.3e9],
    ['Qwen3-235B-A22B', 235e9, 22e9],
    ['Mixtral-8x7B-Instruct-v0.1', 46.7e9, 12.9e9],
    ['DeepSeek-R1', 671e9, 37e9],
    // gpt-oss counts one of its two embeddings as active: 5.1 and 3.6 billion without the other.
    ['gpt-oss-120b', 116.8e9, 5.1e9 + 0.58e9],
    ['gpt-oss-20b', 20.9e9, 3.6e9 + 0.58e9],
  ];
  for (const [name, all, active] of published) {
    it(`gives ${name} the parameters that its makers state`, () => {
      const shape = shapeOf(name);
      assert.ok(Math.abs(shape.parameters / all - 1) < 0.005, `${shape.parameters}`);
      assert.ok(Math.abs(shape.activeParameters / active - 1) < 0.02, `${shape.activeParameters}`);
    });
  }

  it('gives every model its KV bytes per token', () => {
    const kib: readonly (readonly [string, number])[] = [
      ['Llama-3.1-8B-Instruct', 128],
      ['Llama-3.3-70B-Instruct', 320],
      ['Llama-3.1-405B-Instruct', 504],
      ['Qwen2.5-7B-Instruct', 56],
      ['Qwen3-32B', 256],
      ['Qwen3-30B-A3B', 96],
      ['Qwen3-235B-A22B', 188],
      ['Mixtral-8x7B-Instruct-v0.1', 128],
      ['gpt-oss-20b', 48],
      ['gpt-oss-120b', 72],
      ['DeepSeek-R1', (61 * 576 * 2) / 1024],
    ];
    for (const [name, expected] of kib) {
      const bytes = kvBytesOf(shapeOf(name), { bytesPerValue: 2, tensorParallel: 1 });
      assert.equal((bytes.full + bytes.windowed) / 1024, expected, name);
    }
  });

  it('divides KV heads between accelerators down to one, and latent vectors never', () => {
    const bytes = (name: string, tensorParallel: number): number =>
      kvBytesOf(shapeOf(name), { bytesPerValue: 2, tensorParallel }).full;
    assert.equal(bytes('Llama-3.3-70B-Instruct', 8), bytes('Llama-3.3-70B-Instruct', 1) / 8);
    assert.equal(bytes('Llama-3.3-70B-Instruct', 16), bytes('Llama-3.3-70B-Instruct', 8));
    assert.equal(bytes('DeepSeek-R1', 8), bytes('DeepSeek-R1', 1));
  });

  it('knows which layers of gpt-oss have a window', () => {
    assert.deepEqual(shapeOf('gpt-oss-120b').window, { layers: 18, tokens: 128 });
    const bytes = kvBytesOf(shapeOf('gpt-oss-120b'), { bytesPerValue: 2, tensorParallel: 1 });
    assert.equal(bytes.full, bytes.windowed);
  });

  it('keeps embeddings wide when the rest is quantized', () => {
    // The published checkpoints are 65.2 and 15.2 to 16.1 GB.
    const bytes = weightBytesOf(shapeOf('gpt-oss-120b'));
    assert.ok(Math.abs((bytes.shared + bytes.experts) / 65.2e9 - 1) < 0.01);
    const shape = { ...shapeOf('Llama-3.1-8B-Instruct'), precision: 'fp8' as const };
    assert.ok(Math.abs(weightBytesOf(shape).shared / 9.08e9 - 1) < 0.01);
  });
});

describe('configs of other families', () => {
  it('takes the text part of a multimodal Gemma 3, its windows and tied embeddings', () => {
    const shape = read({
      model_type: 'gemma3',
      text_config: {
        model_type: 'gemma3_text',
        vocab_size: 262_208,
        hidden_size: 5376,
        intermediate_size: 21_504,
        num_hidden_layers: 62,
        num_attention_heads: 32,
        num_key_value_heads: 16,
        head_dim: 128,
        sliding_window: 1024,
        max_position_embeddings: 131_072,
      },
    });
    assert.ok(Math.abs(shape.parameters / 27.0e9 - 1) < 0.01, `${shape.parameters}`);
    assert.deepEqual(shape.window, { layers: 52, tokens: 1024 });
  });

  it('counts windows where layer_types says so, and none that is as long as the context', () => {
    const types = ['sliding_attention', 'full_attention', 'sliding_attention'];
    const config = { ...LLAMA, num_hidden_layers: 3, sliding_window: 512, layer_types: types };
    assert.deepEqual(read(config).window, { layers: 2, tokens: 512 });
    assert.equal(read({ ...LLAMA, sliding_window: 131_072 }).window, null);
    assert.equal(shapeOf('Qwen2.5-7B-Instruct').window, null);
  });

  it('reads how weights are quantized', () => {
    const precision = (settings: unknown): string =>
      read({ ...LLAMA, quantization_config: settings }).precision;
    const group = (weights: unknown): unknown => ({
      quant_method: 'compressed-tensors',
      config_groups: { group_0: { weights } },
    });
    assert.equal(precision(undefined), 'bf16');
    assert.equal(precision({ quant_method: 'fp8', weight_block_size: [128, 128] }), 'fp8');
    assert.equal(precision({ quant_method: 'awq', bits: 4 }), 'int4');
    assert.equal(precision({ quant_method: 'gptq', bits: 8 }), 'int8');
    assert.equal(precision({ quant_method: 'bitsandbytes', load_in_8bit: true }), 'int8');
    assert.equal(precision({ quant_method: 'modelopt', quant_algo: 'NVFP4' }), 'nvfp4');
    assert.equal(precision(group({ num_bits: 8, type: 'float' })), 'fp8');
    assert.equal(precision(group({ num_bits: 4, type: 'int' })), 'int4');
    assert.equal(shapeOf('gpt-oss-120b').precision, 'mxfp4');
    assert.equal(refuse({ ...LLAMA, quantization_config: {} }).kind, 'quantization_unknown');
    const odd = refuse({ ...LLAMA, quantization_config: { quant_method: 'gptq', bits: 3 } });
    assert.equal(odd.field, 'quantization_config');
  });
});

describe('configs that cannot be read', () => {
  it('says which field is missing', () => {
    const { num_hidden_layers: _, ...rest } = LLAMA;
    assert.deepEqual(refuse(rest), {
      kind: 'field_missing',
      field: 'num_hidden_layers',
      message: 'the config has no num_hidden_layers or n_layer',
    });
    const { num_experts_per_tok: __, ...mixtral } =
      MODEL_CONFIGS['mistralai/Mixtral-8x7B-Instruct-v0.1']!;
    assert.equal(refuse(mixtral).field, 'num_experts_per_tok');
    const { v_head_dim: ___, ...deepseek } = MODEL_CONFIGS['deepseek-ai/DeepSeek-R1']!;
    assert.equal(refuse(deepseek).field, 'v_head_dim');
  });

  it('says which field makes no sense', () => {
    for (const value of [Number.NaN, -1, 1.5, '32']) {
      assert.equal(refuse({ ...LLAMA, num_hidden_layers: value }).field, 'num_hidden_layers');
    }
    assert.equal(refuse({ ...LLAMA, num_hidden_layers: 0 }).field, 'num_hidden_layers');
    const mixtral = MODEL_CONFIGS['mistralai/Mixtral-8x7B-Instruct-v0.1']!;
    assert.equal(refuse({ ...mixtral, num_experts_per_tok: 9 }).field, 'num_experts_per_tok');
    for (const json of [null, [], 'x', 3]) assert.equal(refuse(json).kind, 'not_an_object');
  });
});
