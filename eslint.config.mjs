import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const LEAVES = ['rpc', 'access', 'config', 'telemetry'];
// "Arrows go one way": what a room may import besides itself. `cli` may import all.
const MAY_IMPORT = {
  rpc: [],
  access: ['rpc'],
  config: ['rpc'],
  telemetry: ['rpc'],
  client: ['rpc'],
  native: LEAVES,
  repository: [...LEAVES, 'native'],
  registry: [...LEAVES, 'native', 'repository'],
  server: [...LEAVES, 'native', 'repository', 'registry'],
  worker: [...LEAVES, 'native', 'repository', 'registry', 'server'],
  supervisor: [...LEAVES, 'repository', 'registry', 'worker'],
};
const ROOMS = [...Object.keys(MAY_IMPORT), 'cli'];

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
  ...Object.entries(MAY_IMPORT).map(([room, allowed]) => ({
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: ROOMS.filter((other) => other !== room && !allowed.includes(other)).map(
            (other) => ({
              group: [`**/${other}/*`],
              message: `${room} must not import ${other} (dependencies go one way)`,
            }),
          ),
        },
      ],
    },
  })),
);
