export * from './env';
export { Logger } from './logger';
export * from './result';
