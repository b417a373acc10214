import { container } from '../container';

const stock = container.stock();

export const handler = async (event: { ids: string[] }) => stock.takeAll(event.ids);
