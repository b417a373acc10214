export * from './order-repository';
export { CustomerRepository } from './customer-repository';
export type { Customer, Customers } from './customer-repository';
export { StockRepository as Stock } from './stock-repository';
export { OrderService } from './order-service';
