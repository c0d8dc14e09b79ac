import { must } from '../../core/assert.ts';
import { pickIndex, type Rng } from '../../core/rng.ts';
import { createStream } from './random.ts';
import type { RequestPlan } from './request-traffic.ts';
import { createRequestWorkload, type RequestSetting } from './request-workload.ts';
import { createRequest } from './request.ts';
import { SegmentMint } from './segments.ts';
import { noAdapters } from './sheet-workload.ts';
import type { WorkloadSheet } from './sheet.ts';
import type { PromptSegment, Workload } from './types.ts';

/** Parameters of inference-perf's `shared_prefix` data, under its names. */
export interface SharedPrefixSetting extends RequestSetting {
  /** `num_groups`: different system prompts. */
  readonly groups: number;
  /** `num_prompts_per_group`: different questions to each. */
  readonly promptsPerGroup: number;
  /** `system_prompt_len` in tokens. */
  readonly systemTokens: number;
  /** `question_len` in tokens. */
  readonly questionTokens: number;
  /** `output_len` in tokens. */
  readonly outputTokens: number;
}

// Purposes of random streams; 0 is for arrivals.
const ORDER = 1;

/**
 * A workload of questions to shared system prompts. As in inference-perf all questions are made
 * beforehand, shuffled, and asked one after the other; after the last one the first comes again.
 */
export function createSharedPrefixWorkload(sheet: WorkloadSheet<SharedPrefixSetting>): Workload {
  return createRequestWorkload(sheet, {
    adapters: noAdapters,
    gaps: () => ({ kind: 'poisson' }),
    createRequests,
  });
}

interface Question {
  readonly group: number;
  readonly segments: readonly PromptSegment[];
}

function createRequests(values: SharedPrefixSetting, seed: number): RequestPlan['create'] {
  const mint = new SegmentMint();
  const questions = shuffle(createQuestions(values, mint), createStream(seed, ORDER));
  return (atMs, number) => {
    const { group, segments } = must(questions[number % questions.length], 'a question');
    return createRequest({
      atMs,
      session: number,
      tenant: `group-${group + 1}`,
      segments,
      output: mint.create(values.outputTokens),
      maxTokens: values.outputTokens,
    });
  };
}

function createQuestions(values: SharedPrefixSetting, mint: SegmentMint): Question[] {
  const questions: Question[] = [];
  for (let group = 0; group < values.groups; group += 1) {
    const system = mint.create(values.systemTokens);
    for (let prompt = 0; prompt < values.promptsPerGroup; prompt += 1) {
      questions.push({ group, segments: [system, mint.create(values.questionTokens)] });
    }
  }
  return questions;
}

/** Fisher and Yates, in place. */
function shuffle<T>(items: T[], rng: Rng): T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = pickIndex(rng, last + 1);
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}
