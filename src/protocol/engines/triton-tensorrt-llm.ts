import type { EngineDialect, MetricSource } from './dialect.ts';
import { maxOf, meanOf, reportSources, sumOf } from './metric-sources.ts';

const REQUESTS = 'nv_trt_llm_request_metrics';
const BLOCKS = 'nv_trt_llm_kv_cache_block_metrics';

function requests(type: string): readonly MetricSource[] {
  return [{ ...sumOf(REQUESTS), where: { label: 'request_type', value: type } }];
}

function blocks(source: MetricSource, type: string): readonly MetricSource[] {
  return [{ ...source, where: { label: 'kv_cache_block_type', value: type } }];
}

/**
 * Triton Inference Server with the TensorRT-LLM backend, through its OpenAI front end. The core
 * server keeps its metrics on port 8002; the front end serves them on its own port.
 */
export const TRITON_TENSORRT_LLM: EngineDialect = Object.freeze<EngineDialect>({
  engine: 'triton-tensorrt-llm',
  title: 'Triton with TensorRT-LLM',
  signs: [
    { kind: 'metric', prefix: 'nv_trt_llm_', weight: 0.95 },
    { kind: 'owner', owner: 'Triton Inference Server', weight: 0.8 },
    { kind: 'json', path: '/v2', has: [['name'], ['extensions']], weight: 0.7 },
    { kind: 'metric', prefix: 'nv_inference_', weight: 0.6 },
  ],
  modelList: { path: '/v1/models', format: 'openai' },
  metrics: {
    paths: ['/metrics'],
    alternativePort: 8002,
    wakesEngine: false,
    filtersByName: false,
    sources: reportSources({
      waiting: requests('waiting'),
      running: requests('scheduled'),
      kvCacheUsage: blocks(meanOf(BLOCKS), 'fraction'),
      blockSizeTokens: blocks(maxOf(BLOCKS), 'tokens_per'),
      blockCount: blocks(sumOf(BLOCKS), 'max'),
    }),
    adapters: null,
  },
  healthPath: '/v2/health/ready',
  facts: [{ fact: 'version', path: '/v2', at: ['version'] }],
  sleep: null,
});
