import { container } from '../container';

interface Event { customer: string }

export async function handler({ customer }: Event) {
  const { history } = container.orderService;
  return history(customer);
}
