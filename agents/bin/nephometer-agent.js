#!/usr/bin/env node
// npm links a command only to a file that is there, and in a clean clone dist/ is built after the links are made.
await import('../dist/main.js');
