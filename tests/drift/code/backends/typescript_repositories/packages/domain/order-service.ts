import { Customers } from './customer-repository';
import { Order, OrderRepository } from './order-repository';
import { StockRepository } from './stock-repository';

export class OrderService {
  constructor(
    private readonly orders: OrderRepository,
    private readonly customers: Customers,
    private readonly stock: StockRepository,
  ) {}

  async place(order: Order): Promise<Order> {
    const customer = await this.customers.findById(order.customer);
    if (!customer) throw new Error('no such customer');
    await this.stock.take(order.id, 1);
    await this.orders.save(order);
    return order;
  }

  async cancel(id: string): Promise<void> {
    const order = await this.orders.findById(id);
    if (order) await this.orders.remove(order.id);
  }

  history = (customer: string): Promise<Order[]> => this.orders.byCustomer(customer);
}
