/** Of the one page; colours follow the system's light or dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fbfbfa; --raised: #fff; --sunken: #f1f2f0; --ink: #1d2327; --soft: #5b656c; --line: #dfe2de;
  --accent: #0b6b73; --get: #0b6b73; --post: #8a5a00; --delete: #a8323a; --ok: #2c7a3f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181a; --raised: #1a1f22; --sunken: #20272a; --ink: #e4e8e6; --soft: #9aa6a8; --line: #2d3539;
    --accent: #5cc3cb; --get: #5cc3cb; --post: #e0ad55; --delete: #f08a8f; --ok: #7ecb8f;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  display: grid; grid-template-columns: 18rem minmax(0, 1fr);
}
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em; }
:not(pre) > code { overflow-wrap: anywhere; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible, button:focus-visible, pre:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--raised); padding: 0.5rem; }
nav {
  position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 2rem 1.5rem;
  border-right: 1px solid var(--line); background: var(--raised); font-size: 0.875rem;
}
nav ul { list-style: none; margin: 0; padding: 0; }
nav .brand { margin: 0 0 1rem; font-size: 1.125rem; font-weight: 650; }
nav .brand span { color: var(--soft); font-weight: 400; }
nav .contents > summary { display: none; }
nav .tag { display: block; margin-top: 1rem; color: var(--soft); font-weight: 600; text-transform: capitalize; text-decoration: none; }
nav li li a { display: flex; gap: 0.5rem; align-items: baseline; padding: 0.2rem 0; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
nav li li a:hover { color: var(--accent); }
nav .method { flex: none; width: 2.6rem; font-size: 0.6875rem; }
main { padding: 2.5rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 64rem; }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 3rem 0 0.25rem; font-size: 1.5rem; line-height: 1.25; text-transform: capitalize; }
h3 { margin: 0; font-size: 1.0625rem; font-weight: 600; }
h4 { margin: 1.5rem 0 0.5rem; font-size: 0.9375rem; }
p { margin: 0.5rem 0; }
.lead { color: var(--soft); }
article { margin: 1.25rem 0; padding: 1.25rem 1.5rem 1rem; background: var(--raised); border: 1px solid var(--line); border-radius: 0.5rem; }
article:target { border-color: var(--accent); }
.route { color: inherit; text-decoration: none; overflow-wrap: anywhere; }
.route:hover code { text-decoration: underline; }
.route code { font-size: 1em; }
.method { font: 650 0.8125rem ui-monospace, Menlo, Consolas, monospace; color: var(--get); }
.method.post, .method.put { color: var(--post); }
.method.delete { color: var(--delete); }
.summary { font-weight: 550; }
.curl { position: relative; margin: 1rem 0; }
pre { margin: 0; padding: 0.75rem 1rem; background: var(--sunken); border-radius: 0.375rem; overflow-x: auto; line-height: 1.5; }
.curl pre { padding-right: 5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.curl button {
  position: absolute; top: 0.4rem; right: 0.4rem; padding: 0.25rem 0.6rem; font: inherit; font-size: 0.8125rem; cursor: pointer;
  color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: 0.25rem;
}
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; }
th { text-align: left; font-weight: 500; font-size: 0.8125rem; color: var(--soft); }
th, td { padding: 0.35rem 1rem 0.35rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
td.name { width: 32%; }
td.type, p.type { color: var(--soft); width: 22%; overflow-wrap: anywhere; }
.d1 { padding-left: 1.25rem; } .d2 { padding-left: 2.5rem; } .d3 { padding-left: 3.75rem; } .d4 { padding-left: 5rem; }
.optional { margin-left: 0.25rem; color: var(--soft); font-size: 0.8125rem; white-space: nowrap; }
.errors td.name { width: 4rem; }
.status { font-variant-numeric: tabular-nums; font-size: 0.875rem; font-weight: 500; color: var(--soft); }
.status.ok { color: var(--ok); }
details { margin: 0.5rem 0; }
summary { cursor: pointer; color: var(--soft); font-size: 0.9375rem; }
.choices code { margin-right: 0.35rem; }
@media (max-width: 60rem) {
  body { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); padding: 1rem; }
  nav .brand { margin: 0 0 0.25rem; }
  nav .contents > summary { display: list-item; padding: 0.4rem 0; }
  nav li li a { padding: 0.45rem 0; }
  main { padding-top: 1.5rem; }
}
@media (max-width: 40rem) {
  article { margin-inline: -0.5rem; padding: 1rem 0.75rem; }
  table, tbody, tr, td { display: block; width: auto; }
  thead { position: absolute; left: -99rem; }
  tr { padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; }
  td, td.name, td.type, .errors td.name { border: 0; padding: 0; width: auto; }
  .d1 ~ td, td.d1 { padding-left: 1rem; } .d2 ~ td, td.d2 { padding-left: 2rem; }
  .d3 ~ td, td.d3, .d4 ~ td, td.d4 { padding-left: 3rem; }
}
@media print { nav, .curl button { display: none; } body { display: block; } }
`;
