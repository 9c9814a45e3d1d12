import { describe, expect, test } from 'vitest';
import { daemonSchema } from '../../src/config/schema.js';
import { Origins } from '../../src/server/origins.js';

describe('pages that may call', () => {
  test('are those of this host, unless they are listed', () => {
    const local = ['http://localhost', 'https://localhost:5173', 'http://127.0.0.1:8080'];
    const others = ['https://app.example', 'null', 'http://localhost.evil.example', 'file://'];
    const odd = ['http://127.0.0.1.evil.example', 'http://[::2]', 'chrome-extension://localhost'];
    const origins = new Origins(undefined);
    for (const origin of ['', ...local, 'http://127.9.9.9', 'http://[::1]:80']) {
      expect(origins.allows(origin), origin).toBe(true);
    }
    for (const origin of [...others, ...odd]) expect(origins.allows(origin), origin).toBe(false);
  });

  test('are the listed ones alone, by their whole name', () => {
    const origins = new Origins(['https://app.example', 'http://dev.example:3000']);
    expect(origins.allows('https://app.example')).toBe(true);
    expect(origins.allows('http://dev.example:3000')).toBe(true);
    expect(origins.allows('')).toBe(true);
    for (const other of ['http://app.example', 'https://app.example:8443', 'http://localhost']) {
      expect(origins.allows(other), other).toBe(false);
    }
    expect(new Origins([]).allows('http://localhost')).toBe(false);
    expect(new Origins(['*']).allows('null')).toBe(true);
  });
});

describe('a listed origin', () => {
  const parse = (origin: unknown) => {
    const result = daemonSchema.safeParse({ models: 'm', listen: { origins: [origin] } });
    return result.success ? result.data.listen.origins?.[0] : result.error.issues[0]?.message;
  };

  test.each(['*', 'https://app.example', 'http://[::1]:3000', 'chrome-extension://abc'])(
    'may be %s',
    (origin) => {
      expect(parse(origin)).toBe(origin);
    },
  );

  test('counts whatever its case', () => {
    expect(parse('HTTPS://App.Example')).toBe('https://app.example');
  });

  test.each([
    ...['app.example', 'https://app.example/', 'https://app.example/path', 'https://', 'null', 5],
    ...['https://app.example:443', 'https://*.example', 'https://user@app.example'],
  ])('may not be %s, which no browser sends', (origin) => {
    expect(parse(origin)).toContain('expected an origin');
  });
});
