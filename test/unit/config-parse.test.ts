import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, parseYaml, validate } from '../../src/config/parse.js';

const SCHEMA = z.strictObject({
  listen: z
    .strictObject({ host: z.string().default('::1'), port: z.int().default(9000) })
    .prefault({}),
  queue: z.strictObject({ deadline: z.number().optional() }).optional(),
  labels: z.record(z.string().regex(/^[a-z]+$/, 'expected small letters'), z.int()).default({}),
});

function problems(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('YAML', () => {
  const ENVIRONMENT = { NAME: 'edges', EMPTY: '', NESTED: '${NAME}' };
  const parse = (text: string) => parseYaml(text, 'F', ENVIRONMENT);

  test('that is empty is an empty map', () => {
    for (const text of ['', '# nothing\n', '---\n', 'null']) expect(parse(text)).toEqual({});
  });

  test('gets variables of the environment in its text values, at any depth', () => {
    expect(parse('a: ["${NAME}", {b: "x-${NAME}-${NAME}"}]\nc: "${EMPTY}"')).toEqual({
      a: ['edges', { b: 'x-edges-edges' }],
      c: '',
    });
  });

  test('gets no variables in its keys, nor what only looks like one, nor in what was put in', () => {
    expect(parse('"${NAME}": $NAME ${} ${1} $(NAME) {NAME}\nn: ${NESTED}')).toEqual({
      '${NAME}': '$NAME ${} ${1} $(NAME) {NAME}',
      n: '${NAME}',
    });
  });

  test.each([
    ['a: ${MISSING}', 'F: the environment variable MISSING is not set'],
    ['a: ${toString}', 'F: the environment variable toString is not set'],
    ['a: *b', 'F: Unresolved alias (the anchor must be set before the alias): b'],
    ['a: 1\na: 2', 'F: Map keys must be unique at line 2, column 1:'],
  ])('%j is refused with its source', (text, problem) => {
    expect(problems(() => parse(text))).toEqual([problem]);
  });

  test('that cannot be parsed is refused with the line', () => {
    expect(problems(() => parse('a: [1,\nb: 2'))[0]).toMatch(/^F: .* at line 2/);
  });

  test('whose aliases multiply is refused before it fills the memory', () => {
    const lines = Array.from(
      { length: 12 },
      (_, i) =>
        `a${i}: &a${i} [${
          i === 0
            ? 'x'
            : Array(10)
                .fill(`*a${i - 1}`)
                .join(', ')
        }]`,
    );
    expect(problems(() => parse(lines.join('\n')))[0]).toMatch(/Excessive alias count/);
  });
});

describe('a value', () => {
  test('that fits is given back with its defaults, frozen to its leaves', () => {
    const value = validate(SCHEMA, { labels: { a: 1 } }, 'F');
    expect(value).toEqual({ listen: { host: '::1', port: 9000 }, labels: { a: 1 } });
    for (const part of [value, value.listen, value.labels]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('with several defects is refused with each of them on a line', () => {
    const value = { listen: { port: 'x', hots: 1 }, labels: { A: 1, b: 'c' } };
    expect(problems(() => validate(SCHEMA, value, 'F'))).toEqual([
      'F: listen.port: Invalid input: expected number, received string',
      'F: unknown key listen.hots (did you mean host?)',
      'F: labels.A: the name: expected small letters',
      'F: labels.b: Invalid input: expected number, received string',
    ]);
  });

  test.each([
    [{ listne: 1 }, 'F: unknown key listne (did you mean listen?)'],
    [{ Listen: 1 }, 'F: unknown key Listen (did you mean listen?)'],
    [{ models: 1 }, 'F: unknown key models (known: listen, queue, labels)'],
    [{ listen: { prot: 1 } }, 'F: unknown key listen.prot (did you mean port?)'],
    [{ listen: { pot: 1 } }, 'F: unknown key listen.pot (did you mean port?)'],
    [{ listen: { foot: 1 } }, 'F: unknown key listen.foot (known: host, port)'],
    [{ listen: { tls: 1 } }, 'F: unknown key listen.tls (known: host, port)'],
    [{ queue: { dedline: 1 } }, 'F: unknown key queue.dedline (did you mean deadline?)'],
    [[], 'F: the document: Invalid input: expected object, received array'],
  ])('%j is refused with the path and what is near', (value, problem) => {
    expect(problems(() => validate(SCHEMA, value, 'F'))).toEqual([problem]);
  });
});
