/** A number format of weights. Four-bit formats carry their scales. */
export type Precision = 'bf16' | 'fp8' | 'int8' | 'mxfp4' | 'nvfp4' | 'int4';

/**
 * Bytes of one weight. Beside four bits, mxfp4 has an 8-bit scale for 32 values (OCP
 * Microscaling 1.0), nvfp4 one for 16, and AWQ and GPTQ a 16-bit scale and a zero point for 128.
 */
export const WEIGHT_BYTES: Readonly<Record<Precision, number>> = Object.freeze({
  bf16: 2,
  fp8: 1,
  int8: 1,
  nvfp4: 0.5625,
  mxfp4: 0.53125,
  int4: 0.52,
});

/** Formats of the KV cache. */
export type KvPrecision = 'bf16' | 'fp8';

/** Bytes of one KV value. */
export const KV_BYTES: Readonly<Record<KvPrecision, number>> = Object.freeze({ bf16: 2, fp8: 1 });
