import type { ModelShape } from './model-shape.ts';
import type { Precision } from './precision.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How the weights of a checkpoint are stored. */
export type Quantization = Pick<ModelShape, 'precision' | 'quantized'>;

type Reader = (settings: Fields) => Quantization | null;

const readFp8: Reader = () => linear('fp8');
const readIntegers: Reader = (settings) =>
  byBits(settings['bits'] ?? settings['w_bit'] ?? 4, 'int');
const readModelOpt: Reader = (settings) =>
  linear(String(settings['quant_algo']).toLowerCase().includes('fp4') ? 'nvfp4' : 'fp8');

/** What `quant_method` may say. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['mxfp4', () => ({ precision: 'mxfp4', quantized: 'experts' })],
  ['fp8', readFp8],
  ['fbgemm_fp8', readFp8],
  ['awq', readIntegers],
  ['gptq', readIntegers],
  ['auto-round', readIntegers],
  ['bitsandbytes', ({ load_in_8bit: isWide }) => linear(isWide === true ? 'int8' : 'int4')],
  ['compressed-tensors', ({ config_groups: groups }) => firstGroup(groups)],
  ['modelopt', readModelOpt],
  ['modelopt_fp4', () => linear('nvfp4')],
]);

/**
 * Precision of weights as `quantization_config` says: fp8, mxfp4 (gpt-oss: experts only), awq,
 * gptq, compressed-tensors, modelopt, fbgemm_fp8, bitsandbytes; bf16 without one, whatever the
 * dtype, since engines serve float32 checkpoints in 16 bits as well. Null for an unknown method.
 */
export function findQuantization(config: Fields): Quantization | null {
  const settings = config['quantization_config'] ?? config['compression_config'];
  if (typeof settings !== 'object' || settings === null) return linear('bf16');
  const fields = settings as Fields;
  const method = fields['quant_method'];
  if (typeof method !== 'string') return null;
  return READERS.get(method.toLowerCase())?.(fields) ?? null;
}

function firstGroup(groups: unknown): Quantization | null {
  if (typeof groups !== 'object' || groups === null) return null;
  const [first] = Object.values(groups) as ({ readonly weights?: Fields } | undefined)[];
  const weights = first?.weights;
  if (weights === undefined) return null;
  return byBits(weights['num_bits'], weights['type']);
}

function byBits(bits: unknown, type: unknown): Quantization | null {
  if (bits === 8) return linear(type === 'float' ? 'fp8' : 'int8');
  if (bits === 4) return linear(type === 'float' ? 'nvfp4' : 'int4');
  return null;
}

function linear(precision: Precision): Quantization {
  return { precision, quantized: 'linear' };
}
