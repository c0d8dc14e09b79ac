import type { CustomOption } from '../framework/options.ts';
import type { Labels } from '../framework/label-selector.ts';
import { meetsAll, parseMatchExpressions, parseMatchLabels } from '../framework/label-selector.ts';
import { LabelVerdicts } from '../framework/label-verdicts.ts';
import type { FilterDefinition } from '../framework/plugin.ts';
import type { Filter } from '../types.ts';
import { keepWhere } from './keep-where.ts';

/** Requirements that the options' parsers make. */
type Requirements = readonly ((labels: Labels) => boolean)[];

const MATCH_LABELS: CustomOption = {
  name: 'matchLabels',
  kind: 'custom',
  default: [],
  shape: 'mapping of label to value',
  doc: 'Labels that must have exactly these values.',
  parse: parseMatchLabels,
};

const MATCH_EXPRESSIONS: CustomOption = {
  name: 'matchExpressions',
  kind: 'custom',
  default: [],
  shape: 'list of {key, operator: In | NotIn | Exists | DoesNotExist, values}',
  doc: 'Requirements that must all hold.',
  parse: parseMatchExpressions,
};

/**
 * Keeps endpoints whose labels meet a Kubernetes label selector; an empty one keeps all.
 * `label-selector-filter` of llm-d's endpoint picker.
 */
export const LABEL_SELECTOR_FILTER: FilterDefinition = {
  type: 'label-selector-filter',
  kind: 'filter',
  summary: 'Keeps endpoints whose labels meet a Kubernetes label selector.',
  options: [MATCH_LABELS, MATCH_EXPRESSIONS],
  create(options, { name }): Filter {
    const requirements: Requirements = [
      ...(options.custom('matchLabels') as Requirements),
      ...(options.custom('matchExpressions') as Requirements),
    ];
    const verdicts = new LabelVerdicts((labels) => meetsAll(requirements, labels));
    return {
      type: LABEL_SELECTOR_FILTER.type,
      name,
      keep: (input, candidates) =>
        keepWhere(input, candidates, (slot) => verdicts.of(input.traits, slot)),
    };
  },
};
