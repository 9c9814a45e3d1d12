import { closest, distance } from 'fastest-levenshtein';
import { parseDocument, type Document } from 'yaml';
import { z } from 'zod';

/** A configuration that cannot be used: every defect on a line, with the path of its key. */
export class ConfigError extends Error {
  constructor(source: string, problems: readonly string[]) {
    super(problems.map((problem) => `${source}: ${problem}`).join('\n'));
    this.name = 'ConfigError';
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Parses YAML text; `${NAME}` in a text value is taken from the environment. Throws ConfigError. */
export function parseYaml(text: string, source: string, environment: Environment): unknown {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    throw new ConfigError(
      source,
      document.errors.map((error) => error.message.split('\n')[0] ?? ''),
    );
  }
  return expand(toValue(document, source) ?? {}, source, environment);
}

function toValue(document: Document.Parsed, source: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // An alias that is unknown, or too many of them.
    throw new ConfigError(source, [(error as Error).message]);
  }
}

function expand(value: unknown, source: string, environment: Environment): unknown {
  if (typeof value === 'string') return expandText(value, source, environment);
  if (Array.isArray(value)) return value.map((item) => expand(item, source, environment));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, expand(item, source, environment)]),
  );
}

function expandText(text: string, source: string, environment: Environment): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined) {
      throw new ConfigError(source, [`the environment variable ${name} is not set`]);
    }
    return value;
  });
}

/** Checks a value against a schema and gives it back deeply frozen, with defaults. Throws ConfigError. */
export function validate<S extends z.ZodType>(
  schema: S,
  value: unknown,
  source: string,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return deepFreeze(result.data);
  throw new ConfigError(
    source,
    result.error.issues.flatMap((issue) => describeIssue(issue, schema)),
  );
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType): string[] {
  const path = issue.path.map(String);
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => `${path.join('.')}: the name: ${message}`);
  }
  if (issue.code !== 'unrecognized_keys') {
    return [`${path.join('.') || 'the document'}: ${issue.message}`];
  }
  const known = knownKeys(schema, path);
  return issue.keys.map(
    (key) => `unknown key ${[...path, key].join('.')}${suggestion(key, known)}`,
  );
}

function suggestion(key: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(key, known);
  return isNear(key, nearest) ? ` (did you mean ${nearest}?)` : ` (known: ${known.join(', ')})`;
}

/** At most every third letter differs, or the same ones are in another order. */
function isNear(a: string, b: string): boolean {
  const sorted = (text: string) => Array.from(text).sort().join('');
  return distance(a, b) <= Math.max(a.length, b.length) / 3 || sorted(a) === sorted(b);
}

function knownKeys(schema: z.ZodType, path: readonly string[]): string[] {
  let current: unknown = schema;
  for (const key of path) current = memberOf(current, key);
  return Object.keys(objectShape(current) ?? {});
}

function memberOf(schema: unknown, key: string): unknown {
  const inner = innermost(schema);
  return inner instanceof z.ZodArray ? inner.element : objectShape(inner)?.[key];
}

/** The fields of an object schema. */
function objectShape(schema: unknown): Record<string, unknown> | undefined {
  const inner = innermost(schema);
  return inner instanceof z.ZodObject ? inner.shape : undefined;
}

const OUTER = [z.ZodDefault, z.ZodPrefault, z.ZodOptional] as const;

/** What is given, seen through defaults, transformations and where it is optional. */
function innermost(schema: unknown): unknown {
  let current = schema;
  for (;;) {
    if (OUTER.some((Outer) => current instanceof Outer)) {
      current = (current as z.ZodOptional).unwrap();
    } else if (current instanceof z.ZodPipe) {
      current = current.in instanceof z.ZodTransform ? current.out : current.in;
    } else return current;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
