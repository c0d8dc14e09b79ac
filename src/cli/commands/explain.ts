import { readFile } from 'node:fs/promises';
import type { ShadowReport } from '../../gateway/admin/shadow-report.ts';
import type { DecisionRecord } from '../../telemetry/decision-log.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { renderDecision, renderShadowReport } from '../explain-text.ts';
import type { ParsedOptions } from '../options.ts';

/** What to ask the admin API, or what is wrong with the command line. */
type Question =
  | { readonly kind: 'decision'; readonly path: string }
  | { readonly kind: 'dry-run'; readonly path: string; readonly body: Buffer }
  | { readonly kind: 'shadow'; readonly path: string }
  | { readonly kind: 'wrong'; readonly message: string };

/** `penstock explain`: why a request went where it went, or where one would go. */
export async function runExplain(options: ParsedOptions, context: CommandContext): Promise<number> {
  const question = await readQuestion(options);
  if (question.kind === 'wrong') {
    context.writeError(`penstock explain: ${question.message}\n`);
    return EXIT_CODES.usage;
  }
  const base = (options.string('admin') ?? '').replace(/\/$/, '');
  let answer: { readonly status: number; readonly text: string };
  try {
    answer = await ask(base, question);
  } catch (cause) {
    context.writeError(`penstock explain: no admin API at ${base} (${reasonOf(cause)})\n`);
    context.writeError('Give the admin address of a running gateway with --admin.\n');
    return EXIT_CODES.failed;
  }
  if (answer.status !== 200) {
    context.writeError(`penstock explain: ${messageOf(answer.text)}\n`);
    return EXIT_CODES.failed;
  }
  const isPlain = options.boolean('json');
  context.writeOut(isPlain ? `${answer.text}\n` : render(question.kind, answer.text));
  return EXIT_CODES.ok;
}

async function readQuestion(options: ParsedOptions): Promise<Question> {
  const [requestId] = options.operands;
  const file = options.string('dry-run');
  const isShadow = options.boolean('shadow');
  const asked = [requestId !== undefined, file !== null, isShadow].filter(Boolean).length;
  if (asked !== 1) {
    return { kind: 'wrong', message: 'give one of REQUEST-ID, --dry-run FILE and --shadow' };
  }
  if (isShadow) return { kind: 'shadow', path: '/api/shadow' };
  if (requestId !== undefined) {
    return { kind: 'decision', path: `/api/decisions/${encodeURIComponent(requestId)}` };
  }
  try {
    const path = `/api/explain?path=${encodeURIComponent(options.string('path') ?? '')}`;
    return { kind: 'dry-run', path, body: await readFile(file ?? '') };
  } catch (cause) {
    return { kind: 'wrong', message: `${file ?? ''} cannot be read: ${reasonOf(cause)}` };
  }
}

async function ask(
  base: string,
  question: Exclude<Question, { kind: 'wrong' }>,
): Promise<{ readonly status: number; readonly text: string }> {
  const body = question.kind === 'dry-run' ? question.body : null;
  const response = await fetch(`${base}${question.path}`, {
    method: body === null ? 'GET' : 'POST',
    ...(body === null ? {} : { body: new Uint8Array(body) }),
    headers: { 'content-type': 'application/json' },
  });
  return { status: response.status, text: await response.text() };
}

function render(kind: 'decision' | 'dry-run' | 'shadow', text: string): string {
  const value: unknown = JSON.parse(text);
  return kind === 'shadow'
    ? renderShadowReport(value as ShadowReport)
    : renderDecision(value as DecisionRecord);
}

function messageOf(text: string): string {
  try {
    const answer = JSON.parse(text) as { readonly error?: { readonly message?: unknown } };
    return typeof answer.error?.message === 'string' ? answer.error.message : text;
  } catch {
    return text;
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
