import type { ConversationSetting } from './conversations.ts';
import type { SharedPrefixSetting } from './shared-prefix.ts';
import type { Parameter, WorkloadSheet } from './sheet.ts';
import type { SingleTurnSetting } from './single-turn.ts';
import { size } from './sizes.ts';
import type { GoodputObjective } from './types.ts';

function p<T>(value: T, reason: string): Parameter<T> {
  return Object.freeze({ value, reason });
}

function within(
  ttftMs: number | null,
  tpotMs: number | null,
  e2eMs: number | null,
): GoodputObjective {
  return Object.freeze({ ttftMs, tpotMs, e2eMs });
}

const CATALOGUE = 'The catalogue’s.';

export const INTERACTIVE_CHAT: WorkloadSheet<ConversationSetting> = {
  name: 'interactive-chat',
  summary: 'People in chats of a few turns, with system prompts shared by application.',
  parameters: {
    profile: p('h100-8b', 'The smallest profile whose context holds the longest prompt.'),
    replicas: p(4, 'Enough to choose from; more only makes runs longer.'),
    durationMs: p(600_000, 'Three lives of a conversation.'),
    warmUpMs: p(120_000, 'Conversations under way at the start have had two turns by then.'),
    objective: p(within(1000, 50, null), CATALOGUE),
    start: p({ kind: 'arrivals', perSecond: 6 }, 'About four fifths of what the fleet can take.'),
    applications: p(8, 'A few applications on one fleet, one of them in the lead.'),
    systemTokens: p(1500, 'Instructions and tool descriptions of one application.'),
    openingTokens: p(size(1, 1), 'Nothing is attached.'),
    userTokens: p(size(530, 4000), 'What is left of the catalogue’s mean prompt of 4,000.'),
    outputTokens: p(size(300, 1000), CATALOGUE),
    turns: p(size(4, 16), 'The catalogue’s mean.'),
    thinkMs: p(size(45_000, 180_000, 2000), 'The catalogue’s mean.'),
    maxPromptTokens: p(15_000, CATALOGUE),
    answerMs: p(5000, '300 tokens at 16 ms.'),
  },
};

export const BATCH_SUMMARIZATION_RAG: WorkloadSheet<SingleTurnSetting> = {
  name: 'batch-summarization-rag',
  summary: 'Documents to be summed up in one turn, in bursts.',
  parameters: {
    profile: p('h100-8b', 'The smallest profile whose context holds the longest prompt.'),
    replicas: p(4, 'Enough to choose from.'),
    durationMs: p(400_000, 'More than a thousand requests.'),
    warmUpMs: p(60_000, 'Several times an answer.'),
    objective: p(within(15_000, 150, 630_000), CATALOGUE),
    requestsPerSecond: p(3.5, 'About four fifths of what the fleet can take.'),
    gapCv: p(2, 'Jobs come in batches.'),
    systemTokens: p(500, 'The task’s instructions.'),
    userTokens: p(size(14_500, 79_500), 'The catalogue’s prompt without the instructions.'),
    outputTokens: p(size(500, 2000), CATALOGUE),
  },
};

export const SHARED_PREFIX: WorkloadSheet<SharedPrefixSetting> = {
  name: 'shared-prefix',
  summary: 'Questions to long system prompts that many requests share.',
  parameters: {
    profile: p('h100-8b', 'The smallest profile whose context holds the prompts.'),
    replicas: p(4, 'Enough to choose from.'),
    durationMs: p(300_000, 'Thousands of requests.'),
    warmUpMs: p(60_000, 'All prefixes have been asked for several times.'),
    objective: p(within(2000, 100, null), 'An interactive service with long prompts.'),
    requestsPerSecond: p(12, 'About four fifths of what the fleet can take.'),
    groups: p(150, 'llm-d’s published benchmark of prefix-aware routing.'),
    promptsPerGroup: p(5, 'As there.'),
    systemTokens: p(6000, 'As there.'),
    questionTokens: p(1200, 'As there.'),
    outputTokens: p(1000, 'As there.'),
  },
};
