import { BaseRepository, Entity } from '@shared/base-repository';
import { Table, tableName } from '@shared/config';

export interface Customer extends Entity { name: string }

export interface Customers {
  findById(id: string): Promise<Customer | undefined>;
  rename(id: string, name: string): Promise<void>;
}

export class CustomerRepository extends BaseRepository<Customer> implements Customers {
  protected readonly tableName: string = tableName(Table.Customers);

  async rename(id: string, name: string): Promise<void> {
    const customer = await this.findById(id);
    if (customer) {
      await this.save({ ...customer, name });
    }
  }
}
