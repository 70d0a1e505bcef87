// The house rules as lint, so that a review can speak of the code itself.
// TypeScript is linted with type information; the plain scripts and k6 programs without it.
// Formatting is Prettier's, the compiler's own checks are `tsc -b`'s; neither is repeated here.
import { builtinModules } from 'node:module'
import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const KEBAB_CASE = /^[a-z0-9]+([.-][a-z0-9]+)*$/
const MIGRATION = /^\d{4}_[a-z0-9]+(_[a-z0-9]+)*$/

const kebabCaseFileNames = {
  meta: { type: 'suggestion', schema: [] },
  create: (context) => ({
    Program(node) {
      const name = context.filename.replace(/^.*[/\\]/, '').replace(/\.[cm]?[jt]s$/, '')
      if (KEBAB_CASE.test(name) || MIGRATION.test(name)) return
      context.report({ node, message: `File name "${name}" is not in kebab-case` })
    },
  }),
}

const bareBuiltins = builtinModules
  .filter((name) => !name.includes(':') && !name.startsWith('_'))
  .map((name) => ({ name, message: `Import it as node:${name}` }))

const relativeWithoutExtension = {
  regex: String.raw`^\.\.?/.*(?<!\.(ts|js|mjs|json))$`,
  message: 'Relative imports name the file with its extension, .ts in TypeScript',
}

const environment = {
  object: 'process',
  property: 'env',
  message: 'Only common/src/config reads the environment',
}

const exit = {
  object: 'process',
  property: 'exit',
  message: 'Only main.ts ends the process; throw or return instead',
}

const sharedMemory = ['SharedArrayBuffer', 'Atomics'].map((name) => ({
  name,
  message: 'Only common/src/ring touches shared memory',
}))

const syntax = [
  {
    selector: ':matches(PropertyDefinition, MethodDefinition)[accessibility="private"]',
    message: 'Write #name: the private keyword is gone at run time',
  },
  {
    selector:
      ':matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator > ArrowFunctionExpression',
    message: 'A function at the top of a module is a function declaration',
  },
  {
    selector: ':matches(ExportDefaultDeclaration, ExportSpecifier[exported.name="default"])',
    message: 'Exports have names',
  },
]

/** Options for no-restricted-imports: what no file may import, and what this folder may not. */
function restrictImports(...patterns) {
  return [
    'error',
    {
      paths: [
        ...bareBuiltins,
        {
          name: 'node:process',
          importNames: ['env', 'exit'],
          message: 'Use process.env, process.exit',
        },
      ],
      patterns: [relativeWithoutExtension, ...patterns],
    },
  ]
}

const noSockets = {
  group: ['uWebSockets.js'],
  message: 'Only packages/api/src/http and packages/api/src/stream touch uWebSockets.js',
}
const noGateway = { group: ['@bellwire/api'], message: 'Imports go api -> common <- shard-worker' }
const noWorker = {
  group: ['@bellwire/shard-worker'],
  message: 'Imports go api -> common <- shard-worker',
}

/** What Node gives every script without an import. */
const scriptGlobals = Object.fromEntries(
  ['Buffer', 'URL', 'clearTimeout', 'console', 'performance', 'process', 'setTimeout'].map(
    (name) => [name, 'readonly'],
  ),
)

export default defineConfig(
  globalIgnores(['**/dist/', '**/node_modules/', '**/coverage/', '**/.tap/', 'bench/results/']),
  {
    // A rule that is wrong here is changed here, for everybody, with its reason.
    linterOptions: { noInlineConfig: true },
    plugins: { bellwire: { rules: { 'kebab-case-file-names': kebabCaseFileNames } } },
  },
  js.configs.recommended,
  {
    rules: {
      'bellwire/kebab-case-file-names': 'error',
      eqeqeq: 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', 300],
      'no-restricted-syntax': ['error', ...syntax],
      'no-restricted-imports': restrictImports(),
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-deprecated': [
        'error',
        // Marked to stand out, not to go: Gotify takes providers on plain HTTP, so does Bellwire.
        { allow: [{ from: 'package', name: 'allowInsecureRequests', package: 'openid-client' }] },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // An async function may keep the promise of an interface, or throw, without an await.
      '@typescript-eslint/require-await': 'off',
      // A parameter that only holds the place of a later one starts with an underscore.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...sharedMemory],
      'no-restricted-properties': ['error', environment, exit],
    },
  },
  {
    files: ['packages/common/src/**/*.ts'],
    rules: { 'no-restricted-imports': restrictImports(noSockets, noGateway, noWorker) },
  },
  {
    files: ['packages/shard-worker/**/*.ts', 'bench/**/*.ts'],
    // The bare server that a machine's ceiling is measured with.
    ignores: ['bench/src/reference/**'],
    rules: { 'no-restricted-imports': restrictImports(noSockets, noGateway) },
  },
  {
    files: ['packages/api/src/**/*.ts'],
    ignores: ['packages/api/src/http/**', 'packages/api/src/stream/**'],
    rules: { 'no-restricted-imports': restrictImports(noSockets) },
  },
  { files: ['packages/common/src/ring/**/*.ts'], rules: { 'no-restricted-globals': 'off' } },
  {
    files: ['packages/common/src/config/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', exit] },
  },
  {
    files: ['packages/api/src/main.ts'],
    rules: { 'no-restricted-properties': ['error', environment] },
  },
  {
    files: ['packages/*/test/**/*.ts', 'bench/test/**/*.ts'],
    rules: {
      'max-lines': ['error', 500],
      // tap itself waits for the subtests that a test starts.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafePromises: [
            { from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' },
          ],
        },
      ],
    },
  },
  { files: ['bench/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['scripts/**/*.mjs', '*.config.js'],
    languageOptions: {
      globals: scriptGlobals,
    },
  },
  { files: ['*.config.js'], rules: { 'no-restricted-syntax': 'off' } },
  {
    // k6 brings its own globals, and finds a program by its default export.
    files: ['bench/k6/**/*.js'],
    languageOptions: {
      globals: {
        __ENV: 'readonly',
        __VU: 'readonly',
        __ITER: 'readonly',
        console: 'readonly',
        open: 'readonly',
        setTimeout: 'readonly',
      },
    },
    rules: { 'no-restricted-syntax': 'off' },
  },
)
