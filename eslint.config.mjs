import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// "Arrows go one way": what a room may not import.
const FORBIDDEN_IMPORTS = {
  rpc: [
    'access',
    'config',
    'telemetry',
    'native',
    'repository',
    'registry',
    'server',
    'worker',
    'supervisor',
    'client',
    'cli',
  ],
  access: [
    'config',
    'telemetry',
    'native',
    'repository',
    'registry',
    'server',
    'worker',
    'supervisor',
    'client',
    'cli',
  ],
  config: [
    'access',
    'telemetry',
    'native',
    'repository',
    'registry',
    'server',
    'worker',
    'supervisor',
    'client',
    'cli',
  ],
  telemetry: [
    'access',
    'config',
    'native',
    'repository',
    'registry',
    'server',
    'worker',
    'supervisor',
    'client',
    'cli',
  ],
  native: ['repository', 'registry', 'server', 'worker', 'supervisor', 'client', 'cli'],
  client: [
    'access',
    'config',
    'telemetry',
    'native',
    'repository',
    'registry',
    'server',
    'worker',
    'supervisor',
    'cli',
  ],
  repository: ['registry', 'server', 'worker', 'supervisor', 'client', 'cli'],
  registry: ['server', 'worker', 'supervisor', 'client', 'cli'],
  server: ['worker', 'supervisor', 'client', 'cli'],
  worker: ['supervisor', 'client', 'cli'],
  supervisor: ['native', 'server', 'client', 'cli'],
};

export default tseslint.config(
  { ignores: ['build/', 'dist/', 'node_modules/', 'demo-output/'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  ...Object.entries(FORBIDDEN_IMPORTS).map(([room, others]) => ({
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: others.map((other) => ({
            group: [`**/${other}/*`],
            message: `${room} must not import ${other} (dependencies go one way)`,
          })),
        },
      ],
    },
  })),
);
