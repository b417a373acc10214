import { createRepositories, type Repositories } from '@gym/data';
import { Logger } from '@gym/common';
export class InvoiceService {
  private readonly log = Logger.for(InvoiceService);
  constructor(private readonly repos: Pick<Repositories, 'invoices' | 'members'>) {}
  async create(memberId: string, amount: number) {
    const member = await this.repos.members.get(memberId);
    this.log.info('creating', { member });
    return this.repos.invoices.put({ id: memberId + Date.now(), amount });
  }
  async pay(id: string) {
    const invoice = await this.repos.invoices.get(id);
    return this.repos.invoices.put({ ...invoice, paid: true });
  }
  open = () => this.repos.invoices.count();
}
export const services = {
  get invoices() { return new InvoiceService(createRepositories()); },
};
