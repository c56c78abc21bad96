import type { OpenApiDocument, Operation } from '../openapi/types.ts';
import { Html, html, prose } from './html.ts';
import { operationSection } from './operation.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

interface Placed {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The whole document as one page that needs nothing else; scripts only add the copy buttons. */
export function docsPage(document: OpenApiDocument): string {
  const groups = document.tags.map(({ name, description }) => {
    return { name, description, operations: operationsOf(document, name) };
  });
  const sections = groups.map(
    ({ name, description, operations }) =>
      html`<section id="tag-${name}">
        <h2>${name}</h2>
        <p class="lead">${description}</p>
        ${operations.map(({ method, path, operation }) => operationSection(document, method, path, operation))}
      </section>`,
  );
  const links = groups.map(
    ({ name, operations }) =>
      html`<li>
        <a class="tag" href="#tag-${name}">${name}</a>
        <ul>
          ${operations.map(contentsLink)}
        </ul>
      </li>`,
  );
  return `<!doctype html>\n${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${document.info.title} API ${document.info.version}</title>
        ${element('style', STYLE)}
      </head>
      <body>
        <a class="skip" href="#content">To the content</a>
        <nav aria-label="Operations">
          <p class="brand">${document.info.title} <span>API ${document.info.version}</span></p>
          <details class="contents" open>
            <summary>Contents</summary>
            <ul>
              ${links}
            </ul>
          </details>
        </nav>
        <main id="content">${introduction(document)} ${sections}</main>
        ${element('script', SCRIPT)}
      </body>
    </html>`.text
  }\n`;
}

/** Byte for byte, since the policy names the digest of what stands between the tags. */
function element(name: 'style' | 'script', text: string): Html {
  return new Html(`<${name}>${text}</${name}>`);
}

function operationsOf({ paths }: OpenApiDocument, tag: string): Placed[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => ({ method, path, operation })),
  );
}

function contentsLink({ method, path, operation }: Placed): Html {
  return html`<li>
    <a href="#${operation.operationId}" title="${operation.summary}"
      ><span class="method ${method}">${method === 'delete' ? 'DEL' : method.toUpperCase()}</span>
      <span>${brokenAtSlashes(path.replace(/^\/v1\//, ''))}</span></a
    >
  </li>`;
}

/** A long path goes on in the next line at a slash, if it can. */
function brokenAtSlashes(path: string): Html[] {
  return path.split('/').map((step, i) => (i === 0 ? html`${step}` : html`/<wbr />${step}`));
}

function introduction({ info, components }: OpenApiDocument): Html {
  const schemes = Object.values(components.securitySchemes).map(({ name, description = '' }) => {
    const header = name === undefined ? 'Authorization: Bearer TOKEN' : `${name}: TOKEN`;
    return html`<li><code>${header}</code> ${prose(description)}</li>`;
  });
  return html`<header>
    <h1>${info.title} API</h1>
    <p class="lead">${prose(info.description)}</p>
    <p>
      The same for programs: <a href="/v1/openapi.json"><code>/v1/openapi.json</code></a> (OpenAPI 3.1). What was
      written for Ceilometer's API is answered under <code>/v2</code>.
    </p>
    <h2 id="token">Token</h2>
    <p>Every request carries one, in either header:</p>
    <ul>
      ${schemes}
    </ul>
    <p>
      An <code>admin</code> sees everything, a <code>reader</code> the projects of its token, a
      <code>writer</code> posts samples and reads nothing.
    </p>
  </header>`;
}
