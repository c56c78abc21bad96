export { createLibvirt, default } from './libvirt.ts';
