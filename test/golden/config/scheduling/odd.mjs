export const plugins = [{ type: 'odd', kind: 'scorer', summary: 'odd', options: [] }];
