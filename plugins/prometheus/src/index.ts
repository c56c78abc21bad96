export { default } from './prometheus.ts';
