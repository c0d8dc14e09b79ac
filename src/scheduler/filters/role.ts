import { LabelVerdicts } from '../framework/label-verdicts.ts';
import type { FilterDefinition } from '../framework/plugin.ts';
import type { Filter } from '../types.ts';
import { keepWhere } from './keep-where.ts';

/** Label that says which phases of a request an endpoint works on. */
export const ROLE_LABEL = 'llm-d.ai/role';

function defineRoleFilter(
  type: string,
  roles: readonly string[],
  options: { readonly keepsUnlabelled: boolean; readonly summary: string },
): FilterDefinition {
  const wanted = new Set<string | undefined>(roles);
  return {
    type,
    kind: 'filter',
    summary: options.summary,
    options: [],
    create(_options, { name }): Filter {
      const verdicts = new LabelVerdicts((labels) => {
        const role = labels[ROLE_LABEL];
        return role === undefined ? options.keepsUnlabelled : wanted.has(role);
      });
      return {
        type,
        name,
        keep: (input, candidates) =>
          keepWhere(input, candidates, (slot) => verdicts.of(input.traits, slot)),
      };
    },
  };
}

/**
 * The role filters of llm-d's endpoint picker, by the label `llm-d.ai/role`. `both` is the older
 * word for `prefill-decode`. Only decoding is what an endpoint without the label is taken to do.
 */
export const DECODE_FILTER: FilterDefinition = defineRoleFilter(
  'decode-filter',
  ['decode', 'prefill-decode', 'both', 'encode-prefill-decode'],
  {
    keepsUnlabelled: true,
    summary: 'Keeps endpoints that decode by `llm-d.ai/role`, or have no such label.',
  },
);

/** Keeps endpoints whose role includes prefill. */
export const PREFILL_FILTER: FilterDefinition = defineRoleFilter(
  'prefill-filter',
  ['prefill', 'encode-prefill', 'prefill-decode', 'both', 'encode-prefill-decode'],
  {
    keepsUnlabelled: false,
    summary: 'Keeps endpoints that prefill by `llm-d.ai/role`.',
  },
);

/** Keeps endpoints whose role includes encoding of images and sound. */
export const ENCODE_FILTER: FilterDefinition = defineRoleFilter(
  'encode-filter',
  ['encode', 'encode-prefill', 'encode-prefill-decode'],
  {
    keepsUnlabelled: false,
    summary: 'Keeps endpoints that encode by `llm-d.ai/role`.',
  },
);
