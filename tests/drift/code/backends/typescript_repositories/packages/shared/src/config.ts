export const stage = process.env.STAGE ?? 'dev';
export enum Table {
  Orders = 'orders',
  Customers = 'customers',
  Stock = 'stock',
  Audit = 'audit',
}
export const tableName = (table: Table): string => `shop-${table}-${stage}`;
export const TABLES = {
  sessions: `shop-sessions-${process.env.STAGE}`,
  carts: `shop-carts-${process.env.STAGE}`,
} as const;
