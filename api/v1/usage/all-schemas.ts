export * from './answers.ts';
export * from './fields.ts';
export * from './inventory-schemas.ts';
