export { default } from './http.ts';
