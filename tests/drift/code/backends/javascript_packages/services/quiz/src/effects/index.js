export { onINSERT } from './insert.js';
export { default as onREMOVE } from './remove.js';
