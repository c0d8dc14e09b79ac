import { keepWhere } from '../filters/keep-where.ts';
import { LabelVerdicts } from '../framework/label-verdicts.ts';
import type { OptionTable } from '../framework/options.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Filter, Scorer } from '../types.ts';

/** Prompt lengths an endpoint is meant for, both included. */
interface TokenRange {
  readonly min: number;
  readonly max: number;
}

/** What a label says: a range, nothing (`any`), or something unreadable (`invalid`). */
type RangeVerdict = TokenRange | 'any' | 'invalid';

const OPTIONS: OptionTable = [
  {
    name: 'label',
    kind: 'text',
    default: 'llm-d.ai/context-length-range',
    doc: 'Label with the range of prompt tokens, as `min-max`.',
  },
  {
    name: 'enableFiltering',
    kind: 'boolean',
    default: false,
    doc: 'Whether endpoints whose range does not hold the prompt are removed, too.',
  },
];

/** Constants of the original's formula. */
const UNLABELLED_SCORE = 0.5;
const MAX_FALLBACK_SCORE = 0.3;
const WIDTH_SCALE_TOKENS = 10_000;
const WIDTH_SHARE = 0.7;
const DISTANCE_SCALE_TOKENS = 1000;

/**
 * For n prompt tokens and a labelled range of width w: inside, 0.3 + 0.7 × (0.7 / (1 + w / 10,000)
 * + 0.3 × (max − n) / w), and 1 when w = 0; outside, 0.3 / (1 + distance / 1000); 0.5 without the
 * label, 0 with an unreadable one. `context-length-aware` of llm-d's endpoint picker.
 */
export const CONTEXT_LENGTH_AWARE: ScorerDefinition = {
  type: 'context-length-aware',
  kind: 'scorer',
  summary: 'Prefers endpoints whose labelled range of prompt lengths fits closely.',
  options: OPTIONS,
  create(options, { name }): Scorer | (Scorer & Filter) {
    const label = options.text('label');
    const ranges = new LabelVerdicts((labels) => parseRange(labels[label]));
    const scorer: Scorer = {
      type: CONTEXT_LENGTH_AWARE.type,
      name,
      score({ members, promptTokens, traits }, { positions, count }, scores): void {
        for (let i = 0; i < count; i += 1) {
          const slot = members[positions[i] as number] as number;
          scores[i] = scoreRange(promptTokens, ranges.of(traits, slot));
        }
      },
    };
    if (!options.boolean('enableFiltering')) return scorer;
    return {
      ...scorer,
      keep: (input, candidates) =>
        keepWhere(input, candidates, (slot) =>
          holds(ranges.of(input.traits, slot), input.promptTokens),
        ),
    };
  },
};

function parseRange(label: string | undefined): RangeVerdict {
  if (label === undefined) return 'any';
  const bounds = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(label);
  if (bounds === null) return 'invalid';
  const range = { min: Number(bounds[1]), max: Number(bounds[2]) };
  return range.min <= range.max ? range : 'invalid';
}

function holds(range: RangeVerdict, tokens: number): boolean {
  if (range === 'any') return true;
  return range !== 'invalid' && tokens >= range.min && tokens <= range.max;
}

function scoreRange(tokens: number, range: RangeVerdict): number {
  if (range === 'any') return UNLABELLED_SCORE;
  if (range === 'invalid') return 0;
  const { min, max } = range;
  if (tokens < min || tokens > max) {
    const distance = tokens > max ? tokens - max : min - tokens;
    return MAX_FALLBACK_SCORE / (1 + distance / DISTANCE_SCALE_TOKENS);
  }
  const width = max - min;
  if (width === 0) return 1;
  const tightness = 1 / (1 + width / WIDTH_SCALE_TOKENS);
  const raw = WIDTH_SHARE * tightness + ((1 - WIDTH_SHARE) * (max - tokens)) / width;
  return MAX_FALLBACK_SCORE + (1 - MAX_FALLBACK_SCORE) * raw;
}
