import { sampleConfig, readme } from './texts.mjs';
import { sources } from './sources.mjs';

const NAMESPACES = {
  pollster: 'nephometer.poll.compute',
  discovery: 'nephometer.discover',
  listener: 'nephometer.collector',
};

/**
 * All files of a new plugin: path to text.
 * @param plugin name, kind, inside (a workspace of this repository), language (ts, js), corePath (to the contract)
 */
export function pluginFiles(plugin) {
  const { name, language, inside } = plugin;
  const { code, test, cases } = sources(plugin);
  return {
    'package.json': json(manifest(plugin)),
    'README.md': readme(plugin),
    'sample.config.yaml': sampleConfig(plugin),
    [`src/${name}.${language}`]: code,
    [`src/${name}.test.${language}`]: test,
    ...cases,
    ...(language === 'ts' ? { 'tsconfig.json': json(inside ? workspaceTsconfig() : ownTsconfig()) } : {}),
    ...(inside ? {} : { '.gitignore': 'node_modules/\ndist/\n' }),
  };
}

function manifest({ name, kind, language, inside, corePath }) {
  const entry = language === 'ts' ? `./dist/${name}.js` : `./src/${name}.js`;
  return {
    name: inside ? `@nephometer/plugin-${name}` : `nephometer-plugin-${name}`,
    version: '0.1.0',
    description: `Nephometer ${kind} ${name}.`,
    license: 'Apache-2.0',
    type: 'module',
    engines: { node: '>=20' },
    exports: { '.': language === 'ts' ? { types: `./dist/${name}.d.ts`, default: entry } : entry },
    files: [language === 'ts' ? 'dist' : 'src', '!**/*.test.*', 'sample.config.yaml'],
    scripts: scripts(language, inside),
    ...dependencies(language, inside, corePath),
    nephometer: { [NAMESPACES[kind]]: { [name]: entry } },
  };
}

function scripts(language, inside) {
  if (inside) return { build: 'tsc -b', test: 'tsc -b && tap --disable-coverage dist/*.test.js' };
  return language === 'ts' ? { build: 'tsc', test: 'tsc && node --test dist/' } : { test: 'node --test src/' };
}

/** The contract comes with the agent that loads the plugin; here it is for development. */
function dependencies(language, inside, corePath) {
  if (inside) return { peerDependencies: { '@nephometer/core': '0.1.0' } };
  return {
    peerDependencies: { '@nephometer/core': '>=0.1.0' },
    peerDependenciesMeta: { '@nephometer/core': { optional: true } },
    devDependencies: {
      '@nephometer/core': `file:${corePath}`,
      ...(language === 'ts' ? { '@types/node': '^20.19.0', typescript: '~6.0.3' } : {}),
    },
  };
}

function workspaceTsconfig() {
  return {
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
    include: ['src/**/*.ts'],
    exclude: ['dist', 'node_modules'],
    references: [{ path: '../../core' }],
  };
}

function ownTsconfig() {
  return {
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023'],
      module: 'nodenext',
      moduleResolution: 'nodenext',
      types: ['node'],
      strict: true,
      verbatimModuleSyntax: true,
      erasableSyntaxOnly: true,
      rewriteRelativeImportExtensions: true,
      skipLibCheck: true,
      declaration: true,
      rootDir: 'src',
      outDir: 'dist',
    },
    include: ['src/**/*.ts'],
  };
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
