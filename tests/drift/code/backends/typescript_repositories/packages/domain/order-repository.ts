import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { BaseRepository, Entity } from '@shared/base-repository';
import { Table, tableName } from '@shared/config';

export interface Order extends Entity { customer: string }

export class OrderRepository extends BaseRepository<Order> {
  protected readonly tableName = tableName(Table.Orders);

  constructor(client: DynamoDBDocumentClient) {
    super(client);
  }

  byCustomer(customer: string): Promise<Order[]> {
    return this.queryIndex('by-customer', { ExpressionAttributeValues: { ':c': customer } });
  }
}
