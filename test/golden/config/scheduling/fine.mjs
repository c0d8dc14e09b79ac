export const plugins = [
  {
    type: 'even-slots',
    kind: 'scorer',
    summary: '1 for even slots, 0 for odd ones.',
    options: [
      { name: 'bonus', kind: 'number', default: 0, min: 0, max: 1, unit: '', doc: 'Of odd slots.' },
    ],
    create: (options, { name }) => ({
      type: 'even-slots',
      name,
      score({ members }, { positions, count }, scores) {
        for (let i = 0; i < count; i += 1) {
          scores[i] = members[positions[i]] % 2 === 0 ? 1 : options.number('bonus');
        }
      },
    }),
  },
];
