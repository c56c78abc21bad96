/*
 * tap's TypeScript loader looks packages up by itself, and does not know patterns of `exports` that go on behind the star
 * (`./src/*.js`). Of the packages that have such we look the name up here, before it.
 */
import { createRequire, register } from 'node:module';

register(
  `data:text/javascript,${encodeURIComponent(`
    import { pathToFileURL } from 'node:url';
    const root = new URL('../node_modules/', ${JSON.stringify(import.meta.url)});
    export async function resolve(specifier, context, next) {
      const inside = /^hyparquet\\/src\\/(.+\\.js)$/.exec(specifier);
      return inside === null ? next(specifier, context) : { url: new URL(specifier, root).href, shortCircuit: true };
    }
  `)}`,
);

/*
 * tap gives every process that a test starts a loader that notes what it loads. Nobody reads the notes, and an agent or a
 * command that is tested should start as it does for its user: with it each takes a second longer.
 */
createRequire(createRequire(import.meta.url).resolve('tap/package.json'))('process-on-spawn').removeAllListeners();
const { NODE_OPTIONS: options } = process.env;
if (options !== undefined) process.env.NODE_OPTIONS = options.replace(/"?--import=[^\s"]*@tapjs[^\s"]*"?/g, '');
