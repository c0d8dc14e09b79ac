import { LabelVerdicts } from '../framework/label-verdicts.ts';
import type { OptionTable } from '../framework/options.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';

const OPTIONS: OptionTable = [
  {
    name: 'headerName',
    kind: 'text',
    default: null,
    doc: 'Request header to compare; case does not matter.',
  },
  { name: 'labelKey', kind: 'text', default: null, doc: 'Label of the endpoint to compare with.' },
];

/**
 * 1 where the endpoint's label has the value of the request's header, else 0; 0 for all without the
 * header. `header-label-affinity-scorer` of llm-d's endpoint picker.
 */
export const HEADER_LABEL_AFFINITY_SCORER: ScorerDefinition = {
  type: 'header-label-affinity-scorer',
  kind: 'scorer',
  summary: '1 where a label of the endpoint has the value of a request header, else 0.',
  options: OPTIONS,
  create(options, { name }): Scorer {
    const header = options.text('headerName').toLowerCase();
    const labelKey = options.text('labelKey');
    const values = new LabelVerdicts((labels) => labels[labelKey] ?? null);
    return {
      type: HEADER_LABEL_AFFINITY_SCORER.type,
      name,
      score(input, { positions, count }, scores): void {
        const wanted = input.header(header);
        scores.fill(0, 0, count);
        if (wanted === null || wanted === '') return;
        for (let i = 0; i < count; i += 1) {
          const slot = input.members[positions[i] as number] as number;
          if (values.of(input.traits, slot) === wanted) scores[i] = 1;
        }
      },
    };
  },
};
