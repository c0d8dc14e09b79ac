import type { AdapterZooSetting } from './adapter-zoo.ts';
import type { ConversationSetting } from './conversations.ts';
import type { DiurnalSetting } from './diurnal.ts';
import type { MixedSizesSetting } from './mixed-sizes.ts';
import type { NoisyNeighbourSetting } from './noisy-neighbour.ts';
import type { SharedPrefixSetting } from './prefix-groups.ts';
import type { Parameter, WorkloadSheet } from './sheet.ts';
import type { SingleTurnSetting } from './single-turn.ts';
import { size } from './sizes.ts';
import type { GoodputObjective } from './types.ts';

// Every number of every workload, each with its reason, which docs/workloads.md shows. "The
// catalogue" is the workload catalogue of inference-perf (workload-catalog/*/config.json), which
// gives mean and maximum of sizes, turns and objectives for seven kinds of traffic.

function p<T>(value: T, reason: string): Parameter<T> {
  return Object.freeze({ value, reason });
}

function good(
  ttftMs: number | null,
  tpotMs: number | null = null,
  e2eMs: number | null = null,
): GoodputObjective {
  return Object.freeze({ ttftMs, tpotMs, e2eMs });
}

const CATALOGUE = 'Catalogue.';
const NO_OPENING = 'A conversation begins with a message like any other.';
const EIGHT = 'Eight, as in published benchmarks of routing.';
const PLACED = 'Four fifths of what the fleet can take; see above.';

/** The catalogue’s row of that name. */
export const INTERACTIVE_CHAT: WorkloadSheet<ConversationSetting> = {
  name: 'interactive-chat',
  summary: 'People in chats of a few turns, with system prompts shared by application.',
  parameters: {
    profile: p('h100-llama-3.1-8b', 'A small chat model on one accelerator.'),
    replicas: p(8, EIGHT),
    durationMs: p(600_000, 'Four lives of a conversation.'),
    warmUpMs: p(120_000, 'Conversations under way at the start have had two turns by then.'),
    objective: p(good(1000, 50), CATALOGUE),
    start: p({ kind: 'arrivals', perSecond: 8.2 }, PLACED),
    applications: p(8, 'A few applications on one fleet, one of them in the lead.'),
    systemTokens: p(1500, 'Instructions and tool descriptions of one application.'),
    openingTokens: p(size(0, 0, 0), NO_OPENING),
    userTokens: p(size(640, 4000), 'Brings the mean prompt to the catalogue’s 4,000.'),
    outputTokens: p(size(300, 1000), CATALOGUE),
    turns: p(size(4, 16), 'Catalogue; it gives no maximum.'),
    thinkMs: p(size(45_000, 180_000, 2000), 'Catalogue: 45 s between turns.'),
    maxPromptTokens: p(15_000, CATALOGUE),
    answerMs: p(6000, '300 tokens at 20 ms.'),
  },
};

/** The catalogue’s row of that name, its contexts scaled down by 8. */
export const CODE_GENERATION: WorkloadSheet<ConversationSetting> = {
  name: 'code-generation',
  summary: 'Coding agents in long loops of small steps; contexts of tens of thousands of tokens.',
  parameters: {
    profile: p('h100-gpt-oss-120b', 'A mixture of experts made for tools and long contexts.'),
    replicas: p(8, EIGHT),
    durationMs: p(
      600_000,
      'A conversation takes longer; the stagger at the start shows all its parts.',
    ),
    warmUpMs: p(150_000, 'All contexts are in a cache by then.'),
    objective: p(
      good(3750, 100),
      'Catalogue; the 30 s to the first token scaled by 8 like the prompt.',
    ),
    start: p({ kind: 'clients', count: 82 }, PLACED),
    applications: p(4, 'A few coding tools.'),
    systemTokens: p(1500, 'Instructions and tools of one of them, scaled by 8 from 12,000.'),
    openingTokens: p(size(500, 4000), 'The task and first files, scaled by 8 from 4,000.'),
    userTokens: p(
      size(86, 2000),
      'Results of steps; brings the mean prompt to 20,000, an eighth of the catalogue’s.',
    ),
    outputTokens: p(size(425, 10_000), CATALOGUE),
    turns: p(
      size(67.5, 135),
      'Catalogue: 540, scaled by 8 like contexts, so that one step adds what it adds there.',
    ),
    thinkMs: p(size(5000, 60_000, 200), 'Builds and tests that run between steps.'),
    maxPromptTokens: p(120_000, 'Catalogue: 990,000, scaled by 8, less room for the answer.'),
    answerMs: p(4000, '425 tokens at 8 ms, and the prompt.'),
  },
};

/** The catalogue’s row of that name. */
export const DEEP_RESEARCH: WorkloadSheet<ConversationSetting> = {
  name: 'deep-research',
  summary: 'Research agents that read page after page and answer briefly.',
  parameters: {
    profile: p(
      'h100-gpt-oss-120b',
      'A mixture of experts whose context holds the catalogue’s mean twice over.',
    ),
    replicas: p(8, EIGHT),
    durationMs: p(600_000, 'Several lives of a conversation.'),
    warmUpMs: p(120_000, 'Most conversations under way at the start are over by then.'),
    objective: p(good(10_000, 100), CATALOGUE),
    start: p({ kind: 'clients', count: 31 }, PLACED),
    applications: p(2, 'One product in two versions.'),
    systemTokens: p(3000, 'Instructions and tools.'),
    openingTokens: p(size(0, 0, 0), NO_OPENING),
    userTokens: p(size(4500, 30_000), 'Pages; brings the mean prompt to the catalogue’s 45,000.'),
    outputTokens: p(size(300, 4000), CATALOGUE),
    turns: p(size(15, 40), 'Catalogue; it gives no maximum.'),
    thinkMs: p(size(4000, 30_000, 500), 'A search and the fetching of pages.'),
    maxPromptTokens: p(127_000, 'Catalogue: 150,000; the profile ends at 131,072.'),
    answerMs: p(3000, '300 tokens at 8 ms, and the prompt.'),
  },
};

/** The catalogue’s agentic-trace-replay. */
export const AGENTIC: WorkloadSheet<ConversationSetting> = {
  name: 'agentic',
  summary:
    'Tool-calling agents whose calls share nine tenths of their prompt with the call before.',
  parameters: {
    profile: p('h200x8-deepseek-r1', 'Only the largest profile holds a dozen of such contexts.'),
    replicas: p(4, 'Thirty-two accelerators; more only makes runs longer.'),
    durationMs: p(600_000, 'Two lives of a conversation.'),
    warmUpMs: p(150_000, 'All contexts are in a cache by then.'),
    objective: p(good(null), 'The catalogue has none.'),
    start: p({ kind: 'clients', count: 25 }, PLACED),
    applications: p(4, 'A few kinds of agent.'),
    systemTokens: p(4000, 'What the catalogue’s shared prefix of 44,636 tokens leaves.'),
    openingTokens: p(size(0, 0, 0), NO_OPENING),
    userTokens: p(size(3640, 30_000), 'Tool results; the mean prompt is the catalogue’s 49,141.'),
    outputTokens: p(size(659, 20_000), 'Catalogue; its longest, 146,000, exceeds any context.'),
    turns: p(size(21.9, 44), 'Catalogue; it gives no maximum.'),
    thinkMs: p(size(3000, 30_000, 200), 'Tools run between calls.'),
    maxPromptTokens: p(111_000, 'The profile ends at 131,072; the answer needs room.'),
    answerMs: p(10_000, '659 tokens at 14 ms, and the prompt.'),
  },
};

/** The catalogue’s row of that name. */
export const BATCH_SYNTHETIC_DATA: WorkloadSheet<ConversationSetting> = {
  name: 'batch-synthetic-data',
  summary: 'A batch job that keeps many long answers to short prompts under way.',
  parameters: {
    profile: p('h100x2-llama-3.3-70b-fp8', 'Data is made with large models.'),
    replicas: p(8, EIGHT),
    durationMs: p(600_000, 'Four answers after each other.'),
    warmUpMs: p(150_000, 'The first answers are over by then.'),
    objective: p(good(null, null, 2_080_000), CATALOGUE),
    start: p({ kind: 'clients', count: 450 }, PLACED),
    applications: p(1, 'One job.'),
    systemTokens: p(200, 'The task, the same in every prompt.'),
    openingTokens: p(size(0, 0, 0), NO_OPENING),
    userTokens: p(size(300, 14_800), 'The catalogue’s 500 (15,000) without the task.'),
    outputTokens: p(size(4000, 8000), CATALOGUE),
    turns: p(size(1, 1), CATALOGUE),
    thinkMs: p(size(0, 0, 0), 'A worker sends the next prompt at once.'),
    maxPromptTokens: p(15_000, CATALOGUE),
    answerMs: p(130_000, '4,000 tokens at 33 ms.'),
  },
};

/** The catalogue’s row of that name. */
export const REASONING: WorkloadSheet<SingleTurnSetting> = {
  name: 'reasoning',
  summary: 'Short questions with long trains of thought.',
  parameters: {
    profile: p(
      'h100x2-qwen3-32b',
      'A reasoning model; its 40,960 tokens hold the longest prompt and answer.',
    ),
    replicas: p(8, EIGHT),
    durationMs: p(1_200_000, 'Eight answers after each other.'),
    warmUpMs: p(400_000, 'Three times an answer: the fleet has filled up.'),
    objective: p(good(2000, 100), CATALOGUE),
    requestsPerSecond: p(1.35, PLACED),
    gapCv: p(1, 'People who ask independently.'),
    systemTokens: p(200, 'A short instruction.'),
    userTokens: p(size(800, 4800), 'The catalogue’s 1,000 (5,000) without the instruction.'),
    outputTokens: p(size(8000, 32_000), CATALOGUE),
  },
};

/** The catalogue’s row of that name. */
export const BATCH_SUMMARIZATION_RAG: WorkloadSheet<SingleTurnSetting> = {
  name: 'batch-summarization-rag',
  summary: 'Documents to be summed up in one turn, in bursts.',
  parameters: {
    profile: p('h100x2-llama-3.3-70b-fp8', 'A large model that holds the longest prompt.'),
    replicas: p(8, EIGHT),
    durationMs: p(600_000, 'More than a thousand requests.'),
    warmUpMs: p(60_000, 'Twice an answer.'),
    objective: p(good(15_000, 150, 630_000), CATALOGUE),
    requestsPerSecond: p(2.2, PLACED),
    gapCv: p(2, 'Jobs come in batches.'),
    systemTokens: p(500, 'The task’s instructions.'),
    userTokens: p(size(14_500, 79_500), 'The catalogue’s 15,000 (80,000) without them.'),
    outputTokens: p(size(500, 2000), CATALOGUE),
  },
};

/** inference-perf’s `shared_prefix` data in the sizes of llm-d’s published benchmark. */
export const SHARED_PREFIX: WorkloadSheet<SharedPrefixSetting> = {
  name: 'shared-prefix',
  summary: 'Questions to long system prompts that many requests share.',
  parameters: {
    profile: p(
      'h100x2-qwen3-32b',
      'llm-d’s published benchmark of prefix-aware routing (September 2025).',
    ),
    replicas: p(8, 'As there.'),
    durationMs: p(300_000, 'Thousands of requests.'),
    warmUpMs: p(60_000, 'All prefixes have been asked for several times.'),
    objective: p(good(2000, 100), 'An interactive service with long prompts.'),
    requestsPerSecond: p(11, PLACED),
    groups: p(150, 'As there.'),
    promptsPerGroup: p(5, 'As there.'),
    systemTokens: p(6000, 'As there.'),
    questionTokens: p(1200, 'As there.'),
    outputTokens: p(1000, 'As there.'),
  },
};

/** Several tenants, one of which is unlike the others. */
export const NOISY_NEIGHBOUR: WorkloadSheet<NoisyNeighbourSetting> = {
  name: 'noisy-neighbour',
  summary: 'Four steady tenants, and a fifth that bursts with long prompts.',
  parameters: {
    profile: p('h100-llama-3.1-8b', 'As in interactive-chat.'),
    replicas: p(8, EIGHT),
    durationMs: p(300_000, 'Five bursts.'),
    warmUpMs: p(60_000, 'One of them.'),
    objective: p(good(2000, 50), 'Interactive; the longest prompt takes 1 s on an idle machine.'),
    quietTenants: p(4, 'Enough to see who suffers.'),
    quietPerSecond: p(
      3.2,
      'With the bursts, four fifths of what the fleet can take for a good answer.',
    ),
    quiet: p(
      { systemTokens: 800, userTokens: size(700, 4000), outputTokens: size(250, 1000) },
      'Chats in one turn.',
    ),
    burstPerSecond: p(20, 'Six times one of the others, with prompts four times as long.'),
    calmPerSecond: p(1.3, 'The tenant is never quite gone.'),
    noisy: p(
      { systemTokens: 1000, userTokens: size(5000, 20_000), outputTokens: size(300, 1000) },
      'Documents; long prompts hurt others most.',
    ),
    burstMs: p(15_000, 'Longer than queues can hide.'),
    periodMs: p(60_000, 'Time to recover in between.'),
  },
};

/** Twice as many adapters as the fleet has slots for. */
export const ADAPTER_ZOO: WorkloadSheet<AdapterZooSetting> = {
  name: 'adapter-zoo',
  summary: 'Many adapters on one base model, asked for with very different frequency.',
  parameters: {
    profile: p('a10g-qwen2.5-7b', 'Adapters are a way to share small machines.'),
    replicas: p(8, EIGHT),
    durationMs: p(400_000, 'Thousands of requests.'),
    warmUpMs: p(60_000, 'Every frequent adapter has been loaded.'),
    objective: p(good(2000, 100), 'Interactive, on a small machine.'),
    requestsPerSecond: p(8.3, PLACED),
    adapters: p(64, 'Twice the slots of the fleet.'),
    exponent: p(1, 'Zipf’s law in its usual form.'),
    systemTokens: p(300, 'A prompt tuned with the adapter.'),
    userTokens: p(size(400, 3000), 'Short tasks: extraction, tagging, rewriting.'),
    outputTokens: p(size(120, 600), 'Short answers.'),
  },
};

/** Bimodal prompts and answers, the worst for counting requests. */
export const MIXED_SIZES: WorkloadSheet<MixedSizesSetting> = {
  name: 'mixed-sizes',
  summary: 'Small and large prompts with short and long answers, in bursts, without any sharing.',
  parameters: {
    profile: p(
      'a100-80-llama-3.1-8b',
      'An older accelerator, where a long prompt is felt by all others.',
    ),
    replicas: p(8, EIGHT),
    durationMs: p(300_000, 'Thousands of requests.'),
    warmUpMs: p(60_000, 'Twice a long answer.'),
    objective: p(
      good(5000, 100),
      'The longest prompt takes 4 s on an idle machine, and steps with prompts are long.',
    ),
    requestsPerSecond: p(20, PLACED),
    gapCv: p(2, 'Clients send several at once.'),
    promptTokens: p(
      { small: size(400, 2000), large: size(8000, 24_000), largeShare: 0.15 },
      'A large one is the work of 20 small ones.',
    ),
    outputTokens: p(
      { small: size(120, 500), large: size(1500, 4000), largeShare: 0.2 },
      'A long one holds its memory 12 times as long, and nothing tells beforehand.',
    ),
  },
};

/** A day of independent requests. */
export const DIURNAL: WorkloadSheet<DiurnalSetting> = {
  name: 'diurnal',
  summary: 'A day in the time of one run: a wave from night to night, with bursts.',
  parameters: {
    profile: p('a100-40-llama-3.1-8b', 'A small memory, so that the noon is felt.'),
    replicas: p(8, EIGHT),
    durationMs: p(600_000, 'A day at 144 times its speed.'),
    warmUpMs: p(30_000, 'The night is quiet.'),
    objective: p(good(1000, 50), 'That of interactive-chat.'),
    requestsPerSecond: p(15.6, PLACED),
    swing: p(0.7, 'Nights at a sixth of the noon.'),
    bursts: p(8, 'A few a day, some of them at night.'),
    burstMs: p(10_000, 'Not half an hour of the day.'),
    burstFactor: p(1.6, 'Overload at noon, none at night.'),
    applications: p(8, 'As in interactive-chat.'),
    systemTokens: p(1500, 'As in interactive-chat.'),
    userTokens: p(size(700, 6000), 'A message with some history.'),
    outputTokens: p(size(300, 1000), 'As in interactive-chat.'),
  },
};
