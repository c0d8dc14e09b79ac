import type { SimulatedDialect } from '../engine-options.ts';
import type { EngineHost } from '../host.ts';
import { renderLlamaCppMetrics } from './llama-cpp-metrics.ts';
import { renderSglangMetrics } from './sglang-metrics.ts';
import { renderTrtllmMetrics, trtllmIterationStats } from './trtllm-metrics.ts';
import { renderVllmMetrics } from './vllm-metrics.ts';

/** A GET path that only some engines have: a JSON value or a Prometheus text. */
export type DialectPage =
  | { readonly kind: 'json'; body(host: EngineHost): unknown }
  | { readonly kind: 'metrics'; body(host: EngineHost): string };

/** What makes the server pass for one engine. */
export interface DialectDefinition {
  /** `owned_by` of its models. */
  readonly ownedBy: string;
  /** `server` header, or null. */
  readonly serverHeader: string | null;
  /** Paths of its own, beside those that all share. */
  readonly pages: Readonly<Record<string, DialectPage>>;
}

// Releases whose answers the pages follow.
const VLLM_VERSION = '0.11.0';
const SGLANG_VERSION = '0.5.4';
const TRTLLM_VERSION = '1.1.0';
const LLAMA_CPP_BUILD = 'b6800-penstock';

function json(body: (host: EngineHost) => unknown): DialectPage {
  return { kind: 'json', body };
}

function metrics(body: (host: EngineHost) => string): DialectPage {
  return { kind: 'metrics', body };
}

function sglangServerInfo(host: EngineHost): object {
  const { options } = host.model;
  return {
    model_path: host.served.baseName,
    version: SGLANG_VERSION,
    page_size: options.blockSizeTokens,
    max_running_requests: options.maxNumSeqs,
    max_total_num_tokens: options.kvBlocks * options.blockSizeTokens,
    chunked_prefill_size: options.maxNumBatchedTokens,
    internal_states: [{ effective_max_running_requests_per_dp: options.maxNumSeqs }],
  };
}

function llamaCppProps(host: EngineHost): object {
  return {
    default_generation_settings: { n_ctx: host.model.contextTokens, is_processing: false },
    total_slots: host.model.options.maxNumSeqs,
    model_path: `/models/${host.served.baseName}.gguf`,
    model_alias: host.served.baseName,
    chat_template: '',
    build_info: LLAMA_CPP_BUILD,
  };
}

/** Every dialect by name. */
export const DIALECTS: Readonly<Record<SimulatedDialect, DialectDefinition>> = Object.freeze({
  vllm: {
    ownedBy: 'vllm',
    serverHeader: 'uvicorn',
    pages: {
      '/metrics': metrics(renderVllmMetrics),
      '/version': json(() => ({ version: VLLM_VERSION })),
    },
  },
  sglang: {
    ownedBy: 'sglang',
    serverHeader: 'uvicorn',
    pages: {
      '/metrics': metrics(renderSglangMetrics),
      '/get_model_info': json((host) => ({
        model_path: host.served.baseName,
        tokenizer_path: host.served.baseName,
        is_generation: true,
      })),
      '/get_server_info': json(sglangServerInfo),
      '/server_info': json(sglangServerInfo),
    },
  },
  'trtllm-serve': {
    ownedBy: 'tensorrt_llm',
    serverHeader: 'uvicorn',
    pages: {
      '/prometheus/metrics': metrics(renderTrtllmMetrics),
      '/metrics': json(trtllmIterationStats),
      '/version': json(() => ({ version: TRTLLM_VERSION })),
    },
  },
  'llama-cpp': {
    ownedBy: 'llamacpp',
    serverHeader: 'llama.cpp',
    pages: {
      '/metrics': metrics(renderLlamaCppMetrics),
      '/props': json(llamaCppProps),
      '/slots': json((host) =>
        Array.from({ length: host.model.options.maxNumSeqs }, (_, id) => ({
          id,
          n_ctx: host.model.contextTokens,
          is_processing: id < host.model.running,
        })),
      ),
    },
  },
});
