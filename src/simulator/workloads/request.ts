import { NO_OBJECTIVE } from '../../scheduler/types.ts';
import { countTokens } from './segments.ts';
import type { LabRequest } from './types.ts';

type Told = 'atMs' | 'session' | 'tenant' | 'segments' | 'output';

/**
 * A request without an adapter, a bound, an objective or headers unless `fields` has them.
 * Workloads ask for no speed in their headers, as hardly any client does: policies that read
 * objectives get no help that others do not get.
 */
export function createRequest(
  fields: Pick<LabRequest, Told> & Partial<Omit<LabRequest, Told | 'promptTokens'>>,
): LabRequest {
  return {
    adapter: null,
    maxTokens: null,
    objective: NO_OBJECTIVE,
    headers: null,
    ...fields,
    promptTokens: countTokens(fields.segments),
  };
}
