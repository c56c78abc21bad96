export * from './inventory-schemas.ts';
export * from './schemas.ts';
