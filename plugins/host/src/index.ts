export { default, createHost } from './host.ts';
