import { namedIds } from '../../workflows/kit/named-ids';

const among = [16, 17, 20, 35, 10_000];

test.each([
  ['none', []],
  ['all', among],
  ['16, 17', [16, 17]],
  ['17;17 16-20', [17, 16, 20]],
  ['18-9999', [20, 35]],
])('"%s" names what there is of it', (answer, ids) => {
  expect(namedIds(answer, among)).toEqual({ ids, unknown: [] });
});

test('what names nothing is told, word by word', () => {
  expect(namedIds('16, 18, 21-30, Office, all', among)).toEqual({
    ids: [16],
    unknown: ['18', '21-30', 'Office', 'all'],
  });
  expect(namedIds(',', among).unknown).toEqual([',']);
});
