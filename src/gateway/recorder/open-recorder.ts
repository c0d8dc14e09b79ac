import { randomBytes } from 'node:crypto';
import { fail, type Result, succeed } from '../../core/result.ts';
import { PROMPT_BLOCK_BYTES } from '../../protocol/request/prompt-blocks.ts';
import { Recorder, type RecorderParts } from './recorder.ts';
import { RecordingFile, type RecordingFileOptions } from './recording-file.ts';

/** Where a recording goes. */
export type RecorderOptions = Omit<RecordingFileOptions, 'header'>;

/** Enough that no two sessions ever have one name. */
const SESSION_BYTES = 12;

/** Begins a recording. The failure says why the file cannot be written, and the way out. */
export async function openRecorder(
  options: RecorderOptions,
  parts: RecorderParts,
): Promise<Result<Recorder, string>> {
  const file = await RecordingFile.open({
    ...options,
    header: {
      session: randomBytes(SESSION_BYTES).toString('base64url'),
      startedAtMs: Math.round(parts.clock.wallMs()),
      blockBytes: PROMPT_BLOCK_BYTES,
    },
  });
  if (!file.ok) return fail(`cannot record to ${options.path}: ${file.error}`);
  return succeed(new Recorder(file.value, parts));
}
