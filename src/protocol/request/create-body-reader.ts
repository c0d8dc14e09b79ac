import type { ApiDefinition } from '../api-table.ts';
import type { PromptKey } from '../wasm/prompt-key.ts';
import type { BodyReader } from './body-reader.ts';
import { MultipartReader } from './multipart-reader.ts';
import { RequestReader } from './request-reader.ts';

const MULTIPART = /^\s*multipart\/form-data/i;

/**
 * The reader for a request's body. A form is read as one on every path, as engines have form paths
 * that the API table does not list; a path that takes only forms fails on anything else. Prompts
 * are hashed with `promptKey`, one for the process; without it `promptBlocks` is always empty.
 */
export function createBodyReader(
  api: ApiDefinition,
  contentType: string,
  promptKey: PromptKey | null = null,
): BodyReader {
  return api.body === 'multipart' || MULTIPART.test(contentType)
    ? new MultipartReader(api, contentType)
    : new RequestReader(api, promptKey);
}
