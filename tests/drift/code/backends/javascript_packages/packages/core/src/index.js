export * from './tables.js';
export { default as table, transact } from './db.js';
export * as batch from './batch.js';
export { Batch } from './batch.js';
