export { default } from './cgroup.ts';
