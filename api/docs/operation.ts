import type { MediaType, OpenApiDocument, Operation, Parameter, Reference, ResponseObject } from '../openapi/types.ts';
import { curlOf } from './curl.ts';
import { html, NOTHING, prose } from './html.ts';
import type { Html } from './html.ts';
import { meaningOf, optional, schemaTable, typeText } from './schema.ts';

/** One operation: what it is for, how it is asked, what it answers. */
export function operationSection(document: OpenApiDocument, method: string, path: string, operation: Operation): Html {
  const parameters = (operation.parameters ?? []).map((one) => lookUp(document.components.parameters, one));
  const body = operation.requestBody?.content['application/json'];
  const responses = Object.entries(operation.responses);
  const successes = responses.filter(([status]) => status.startsWith('2'));
  const errors = responses.filter(([status]) => !status.startsWith('2'));
  return html`<article id="${operation.operationId}">
    <h3>
      <a class="route" href="#${operation.operationId}"
        ><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></a
      >
    </h3>
    <p class="summary">${operation.summary}</p>
    <p>${prose(operation.description)}</p>
    <div class="curl">
      <pre tabindex="0"><code>${curlOf(method, path, operation, parameters)}</code></pre>
      <button type="button" hidden>Copy</button>
    </div>
    ${parameters.length === 0 ? NOTHING : parameterTable(document, parameters)}
    ${body === undefined ? NOTHING : bodySection(document, body)}
    ${successes.map(([status, response]) =>
      answerSection(document, status, lookUp(document.components.responses, response)),
    )}
    ${errorSection(document, errors)}
  </article>`;
}

function lookUp<T extends object>(components: Readonly<Record<string, T>>, one: T | Reference): T {
  if (!('$ref' in one)) return one;
  const found = components[one.$ref.split('/').at(-1) ?? ''];
  if (found === undefined) throw new Error(`The document has no ${one.$ref}.`);
  return found;
}

function parameterTable(document: OpenApiDocument, parameters: readonly Parameter[]): Html {
  const rows = parameters.map((parameter) => parameterRow(document, parameter));
  return html`<h4>Parameters</h4>
    <table>
      <thead>
        <tr>
          <th>name</th>
          <th>type</th>
          <th>meaning</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`;
}

function parameterRow({ components }: OpenApiDocument, parameter: Parameter): Html {
  const { name, in: place, required, description, schema } = parameter;
  const prefix = parameter['x-prefix'];
  const shown = prefix === undefined ? name : `${prefix}PATH`;
  const type = prefix === undefined ? typeText(schema, components.schemas) : 'string';
  const where = place === 'path' ? html` <span class="optional">in the path</span>` : NOTHING;
  const meaning = meaningOf({ ...schema, ...(description === undefined ? {} : { description }) });
  return html`<tr>
    <td class="name"><code>${shown}</code>${where}${required === true ? NOTHING : optional()}</td>
    <td class="type">${type}</td>
    <td>${meaning}</td>
  </tr>`;
}

function bodySection({ components }: OpenApiDocument, { schema = {}, example }: MediaType): Html {
  return html`<h4>Body</h4>
    ${schemaTable(schema, components.schemas)} ${exampleBlock(example)}`;
}

function answerSection({ components }: OpenApiDocument, status: string, response: ResponseObject): Html {
  const { 'application/json': json, ...others } = response.content ?? {};
  const also = Object.entries(others).map(
    ([type, { schema }]) => html`<p><code>${type}</code>: ${prose(schema?.description ?? '')}</p>`,
  );
  const table = json?.schema === undefined ? prose(response.description) : schemaTable(json.schema, components.schemas);
  return html`<h4>Answer <span class="status ok">${status}</span></h4>
    <details open>
      <summary>${json === undefined ? 'no body' : 'application/json'}</summary>
      ${table} ${also}
    </details>
    ${exampleBlock(json?.example)}`;
}

function exampleBlock(example: unknown): Html {
  if (example === undefined) return NOTHING;
  return html`<details>
    <summary>Example</summary>
    <pre tabindex="0"><code>${JSON.stringify(example, null, 2)}</code></pre>
  </details>`;
}

function errorSection(
  document: OpenApiDocument,
  errors: readonly (readonly [string, ResponseObject | Reference])[],
): Html {
  const rows = errors.map(([status, response]) => {
    const { description } = lookUp(document.components.responses, response);
    return html`<tr>
      <td class="name"><span class="status">${status}</span></td>
      <td>${prose(description)}</td>
    </tr>`;
  });
  return html`<details>
    <summary>Errors ${errors.map(([status]) => html`<span class="status">${status}</span> `)}</summary>
    <table class="errors">
      <tbody>
        ${rows}
      </tbody>
    </table>
  </details>`;
}
