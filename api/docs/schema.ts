import type { JsonSchema, OpenApiDocument } from '../openapi/types.ts';
import { html, NOTHING, prose } from './html.ts';
import type { Html } from './html.ts';

type Schemas = OpenApiDocument['components']['schemas'];

/** Lists of choices longer than this are folded. */
const MOST_CHOICES = 6;

/** The properties of a schema, those within it indented beneath: one table. */
export function schemaTable(schema: JsonSchema, schemas: Schemas): Html {
  const rows = rowsOf(schema, schemas, 0, []);
  if (rows.length === 0) return html`<p class="type">${typeText(schema, schemas)}</p>`;
  return html`<table class="schema">
    <thead>
      <tr>
        <th>property</th>
        <th>type</th>
        <th>meaning</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

function rowsOf(schema: JsonSchema, schemas: Schemas, depth: number, above: readonly string[]): Html[] {
  const { $ref } = schema;
  if ($ref !== undefined && above.includes($ref)) return [];
  const way = $ref === undefined ? above : [...above, $ref];
  const whole = resolveSchema(schema, schemas);
  const within = whole.items ?? whole.anyOf?.find((one) => resolveSchema(one, schemas).type !== 'null');
  if (whole.properties === undefined) return within === undefined ? [] : rowsOf(within, schemas, depth, way);
  return Object.entries(whole.properties).flatMap(([name, property]) => [
    propertyRow(name, property, whole.required?.includes(name) ?? false, depth, schemas),
    ...rowsOf(property, schemas, depth + 1, way),
  ]);
}

function propertyRow(name: string, schema: JsonSchema, isRequired: boolean, depth: number, schemas: Schemas): Html {
  const whole = resolveSchema(schema, schemas);
  return html`<tr>
    <td class="name d${Math.min(depth, 4)}"><code>${name}</code>${isRequired ? NOTHING : optional()}</td>
    <td class="type">${typeText(schema, schemas)}</td>
    <td>${meaningOf({ ...whole, ...schema })}</td>
  </tr>`;
}

export function optional(): Html {
  return html` <span class="optional">optional</span>`;
}

/** Description, choices, and what is taken when it is missing. */
export function meaningOf({ description, enum: choices, default: preset }: JsonSchema): Html {
  const said = description === undefined ? NOTHING : prose(description);
  const presets = preset === undefined || preset === '' ? NOTHING : html` Default: <code>${show(preset)}</code>.`;
  return html`${said}${choices === undefined ? NOTHING : choicesOf(choices)}${presets}`;
}

function choicesOf(choices: readonly unknown[]): Html {
  const list = choices.map((choice) => html`<code>${show(choice)}</code> `);
  if (choices.length <= MOST_CHOICES) return html` <span class="choices">${list}</span>`;
  return html`<details class="choices">
    <summary>${choices.length} values</summary>
    ${list}
  </details>`;
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `string (date-time) or null`, `array of object`. */
export function typeText(schema: JsonSchema, schemas: Schemas): string {
  const whole = resolveSchema(schema, schemas);
  if (whole.anyOf !== undefined) return whole.anyOf.map((one) => typeText(one, schemas)).join(' or ');
  if (whole.prefixItems !== undefined) {
    return `[${whole.prefixItems.map((one) => typeText(one, schemas)).join(', ')}]`;
  }
  const types = [whole.type ?? 'any'].flat();
  return types.map((type) => oneType(type, whole, schemas)).join(' or ');
}

function oneType(type: string, { items, format }: JsonSchema, schemas: Schemas): string {
  if (type === 'array') return items === undefined ? 'array' : `array of ${typeText(items, schemas)}`;
  return type === 'string' && format !== undefined ? format : type;
}

function resolveSchema(schema: JsonSchema, schemas: Schemas): JsonSchema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : (schemas[name] ?? {});
}
