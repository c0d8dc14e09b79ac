import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrapComments } from './wrap-comments.ts';

const words = (count: number): string => Array.from({ length: count }, () => 'word').join(' ');

test('a wide docstring becomes a block', () => {
  const wrapped = wrapComments(`  /** ${words(21)} */\n  readonly x: number;\n`);
  assert.equal(
    wrapped,
    `  /**\n   * ${words(19)}\n   * ${words(2)}\n   */\n  readonly x: number;\n`,
  );
});

test('what does not fit flows into the next line of the paragraph and on from there', () => {
  const wrapped = wrapComments(`/**\n * ${words(22)}\n * ${words(19)}\n *\n * ${words(2)}\n */`);
  assert.equal(
    wrapped,
    `/**\n * ${words(19)}\n * ${words(19)}\n * ${words(3)}\n *\n * ${words(2)}\n */`,
  );
});

test('line comments keep their sign and list items hang', () => {
  assert.equal(
    wrapComments(`// ${words(21)}\ncode();`),
    `// ${words(19)}\n// ${words(2)}\ncode();`,
  );
  assert.equal(
    wrapComments(`// - ${words(21)}\n// - b`),
    `// - ${words(19)}\n//   ${words(2)}\n// - b`,
  );
});

test('code, comments behind code, and words without a gap stay', () => {
  const text = `const x = 1; // ${words(30)}\nf('${words(30)}');\n// ${'x'.repeat(120)}\n`;
  assert.equal(wrapComments(text), text);
});
