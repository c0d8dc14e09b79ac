import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { closedFormRows } from './closed-form.ts';
import { conservationRows } from './conservation.ts';
import { renderRows } from './page.ts';
import { publishedRows, simulatePublished } from './published-runs.ts';
import { PUBLISHED_SETUPS, QUICK_SETUPS } from './published-setups.ts';
import { describeRow, formatGap, isWithin, type ValidationRow } from './row.ts';

const ROW: ValidationRow = {
  setup: 'a fleet',
  quantity: 'TTFT p90',
  reference: 0.2,
  ours: 0.1,
  unit: 's',
  digits: 2,
  tolerance: { share: 0.1 },
  cause: 'one digit',
};

function assertWithin(rows: readonly ValidationRow[]): void {
  assert.ok(rows.length > 0);
  const outside = rows.filter((row) => !isWithin(row)).map(describeRow);
  assert.deepEqual(outside, []);
}

describe('the lab agrees', () => {
  it('with closed forms', () => {
    assertWithin(closedFormRows());
  });

  it('with the number of tokens that there are', () => {
    assertWithin(conservationRows());
  });

  for (const setup of QUICK_SETUPS) {
    it(`with what was published: ${setup.title}`, () => {
      for (const run of setup.runs)
        assertWithin(publishedRows(setup, simulatePublished(setup, run)));
    });
  }
});

describe('published setups', () => {
  it('say what is assumed, and judge every policy that was measured there', () => {
    for (const setup of PUBLISHED_SETUPS) {
      for (const text of [setup.stated, setup.assumed, setup.finding]) assert.match(text, /\.$/);
      assert.ok(setup.sources.every((source) => source.startsWith('https://')));
      for (const { there, figures } of setup.runs) {
        assert.ok(figures.length > 0);
        if (there === null) assert.ok(figures.every(({ tolerance }) => tolerance === null));
      }
    }
  });

  it('give the same rows on every run', () => {
    const setup = QUICK_SETUPS.at(-1)!;
    const run = setup.runs[0]!;
    const rows = publishedRows(setup, simulatePublished(setup, run));
    assert.deepEqual(publishedRows(setup, simulatePublished(setup, run)), rows);
  });
});

describe('a row', () => {
  it('is outside when neither share nor absolute bound holds', () => {
    assert.equal(isWithin(ROW), false);
    assert.equal(isWithin({ ...ROW, tolerance: { share: 0.6 } }), true);
    assert.equal(isWithin({ ...ROW, tolerance: { share: 0, absolute: 0.15 } }), true);
    assert.equal(isWithin({ ...ROW, tolerance: null }), true);
    assert.equal(isWithin({ ...ROW, ours: Number.NaN }), false);
  });

  it('is described with its gap', () => {
    assert.equal(describeRow(ROW), 'a fleet, TTFT p90: 0.10 against 0.20 s (-50 %)');
    assert.equal(formatGap(0.0123), '+1.2 %');
    assert.equal(formatGap(-0.0001), '0 %');
  });

  it('becomes a line of a table', () => {
    const [, , line] = renderRows([{ ...ROW, ours: 20 }], 'Published').split('\n');
    assert.equal(line, '| a fleet | TTFT p90 | 0.20 s | 20.00 s | 100 times | ±10 % | one digit |');
  });
});
