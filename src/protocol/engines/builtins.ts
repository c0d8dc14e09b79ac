import type { EngineDialect, EngineName } from './dialect.ts';
import { showsSign } from './evidence.ts';
import type { ProbeEvidence } from './evidence.ts';
import { GENERIC } from './generic.ts';
import { LLAMA_CPP } from './llama-cpp.ts';
import { LMDEPLOY } from './lmdeploy.ts';
import { OLLAMA } from './ollama.ts';
import { SGLANG } from './sglang.ts';
import { TGI } from './tgi.ts';
import { TRITON_TENSORRT_LLM } from './triton-tensorrt-llm.ts';
import { TRTLLM_SERVE } from './trtllm-serve.ts';
import { VLLM } from './vllm.ts';

/** Every engine that is known; `generic` is last and matches nothing by itself. */
export const BUILTIN_DIALECTS: readonly EngineDialect[] = Object.freeze([
  VLLM,
  SGLANG,
  TRTLLM_SERVE,
  TRITON_TENSORRT_LLM,
  TGI,
  LLAMA_CPP,
  OLLAMA,
  LMDEPLOY,
  GENERIC,
]);

/** Their names, as the configuration spells them. */
export const ENGINE_NAMES: readonly EngineName[] = Object.freeze(
  BUILTIN_DIALECTS.map(({ engine }) => engine),
);

/** An engine and how sure it is, 0 to 1. */
export interface Recognition {
  readonly dialect: EngineDialect;
  readonly confidence: number;
}

/** Below this a server is called `generic`. */
const LEAST_CONFIDENCE = 0.5;

/**
 * The engine that `evidence` speaks for most. Signs of one engine add up as independent witnesses:
 * confidence = 1 - product of (1 - weight).
 */
export function recognise(evidence: ProbeEvidence): Recognition {
  let best: Recognition = { dialect: GENERIC, confidence: 0 };
  for (const dialect of BUILTIN_DIALECTS) {
    let doubt = 1;
    for (const sign of dialect.signs) {
      if (showsSign(evidence, sign)) doubt *= 1 - sign.weight;
    }
    if (1 - doubt > best.confidence) best = { dialect, confidence: 1 - doubt };
  }
  return best.confidence >= LEAST_CONFIDENCE
    ? best
    : { dialect: GENERIC, confidence: best.confidence };
}

/** The dialect of an engine that configuration names. */
export function dialectOf(engine: EngineName): EngineDialect {
  return BUILTIN_DIALECTS.find((dialect) => dialect.engine === engine) ?? GENERIC;
}
