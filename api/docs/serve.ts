import { createHash } from 'node:crypto';
import type { ApiContext, ApiRouter, Handler } from '../context.ts';
import { v1Document } from '../openapi/v1.ts';
import { ORIGIN } from './curl.ts';
import { docsPage } from './page.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/** Nothing from elsewhere, and of what is inline only these two texts. */
const POLICY = [
  "default-src 'none'",
  `style-src '${digest(STYLE)}'`,
  `script-src '${digest(SCRIPT)}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

export function addDocs(router: ApiRouter): void {
  router.get('/docs', showDocs());
}

/** GET /docs: the API's document for people. */
function showDocs(): Handler {
  let page: string | null = null;
  return async (ctx) => {
    page ??= docsPage(v1Document());
    ctx.set('Content-Security-Policy', POLICY);
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Referrer-Policy', 'no-referrer');
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = page.replaceAll(ORIGIN, originOf(ctx));
  };
}

/** The address under which this server was reached. A Host header can hold anything, and this goes into a shell. */
function originOf(ctx: ApiContext): string {
  const isPlain = /^[\w.:[\]-]+$/.test(ctx.host);
  return isPlain ? `${ctx.protocol}://${ctx.host}` : 'http://127.0.0.1:8777';
}
