import { getClient } from '@shared/client';
import { CustomerRepository, OrderRepository, OrderService, Stock } from '@domain/index';

class Container {
  private instances = new Map<string, unknown>();

  get orderService(): OrderService {
    const client = getClient();
    return new OrderService(
      new OrderRepository(client),
      new CustomerRepository(client),
      this.stock(),
    );
  }

  stock(): Stock {
    return new Stock(getClient(), process.env.STOCK_TABLE!, process.env.AUDIT_TABLE as string);
  }
}

export const container = new Container();
