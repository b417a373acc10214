import { container } from '../container';

class CancelHandler {
  constructor(private readonly service = container.orderService) {}

  public handle = async (event: { id: string }): Promise<void> => {
    await this.service.cancel(event.id);
  };
}

export const handler = new CancelHandler().handle;
