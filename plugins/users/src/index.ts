export { createUsers, default } from './users.ts';
