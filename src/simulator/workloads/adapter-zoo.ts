import { must } from '../../core/assert.ts';
import { createStream } from './random.ts';
import type { RequestPlan } from './request-traffic.ts';
import { createRequestWorkload, type RequestSetting } from './request-workload.ts';
import { createRequest } from './request.ts';
import { SegmentMint } from './segments.ts';
import type { WorkloadSheet } from './sheet.ts';
import { createSizes, type SizeSpec } from './sizes.ts';
import type { Workload } from './types.ts';
import { createZipf } from './zipf.ts';

/** Parameters of many adapters on one base model. */
export interface AdapterZooSetting extends RequestSetting {
  readonly adapters: number;
  /** The adapter of rank r is asked for in proportion to `r^-exponent`. */
  readonly exponent: number;
  /** Instructions that all requests of one adapter begin with. */
  readonly systemTokens: number;
  readonly userTokens: SizeSpec;
  readonly outputTokens: SizeSpec;
}

// Purposes of random streams; 0 is for arrivals.
const SIZES = 1;

/** A workload whose requests name one of many adapters, some of them far more often than others. */
export function createAdapterZooWorkload(sheet: WorkloadSheet<AdapterZooSetting>): Workload {
  return createRequestWorkload(sheet, {
    adapters: adapterNames,
    gaps: () => ({ kind: 'poisson' }),
    createRequests,
  });
}

function adapterNames({ adapters }: AdapterZooSetting): readonly string[] {
  return Array.from({ length: adapters }, (_, rank) => `adapter-${rank + 1}`);
}

function createRequests(values: AdapterZooSetting, seed: number): RequestPlan['create'] {
  const names = adapterNames(values);
  const sizes = createStream(seed, SIZES);
  const drawRank = createZipf(values.adapters, values.exponent);
  const userTokens = createSizes(values.userTokens);
  const outputTokens = createSizes(values.outputTokens);
  const mint = new SegmentMint();
  const systems = names.map(() => mint.create(values.systemTokens));
  return (atMs, number) => {
    const rank = drawRank(sizes);
    const adapter = must(names[rank], 'an adapter');
    const user = mint.create(userTokens.draw(sizes));
    return createRequest({
      atMs,
      session: number,
      tenant: adapter,
      adapter,
      segments: [must(systems[rank], 'a system prompt'), user],
      output: mint.create(outputTokens.draw(sizes)),
      maxTokens: values.outputTokens.max,
    });
  };
}
