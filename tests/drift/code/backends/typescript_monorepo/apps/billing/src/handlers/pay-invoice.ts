import { InvoiceService } from '~/services';
import { createRepositories } from '@gym/data';
let service: InvoiceService;
const init = async () => { service ||= new InvoiceService(createRepositories()); };
export const handler = async (event: { id: string }) => {
  await init();
  return service.pay(event.id);
};
