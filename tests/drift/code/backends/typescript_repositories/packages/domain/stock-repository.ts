import { DynamoDBDocumentClient, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';

export class StockRepository {
  static readonly LEVEL_INDEX = 'by-level';
  #client: DynamoDBDocumentClient;

  constructor(client: DynamoDBDocumentClient, private readonly table: string, private readonly audit?: string) {
    this.#client = client;
  }

  async take(id: string, count: number): Promise<void> {
    await this.#client.send(new UpdateCommand({
      TableName: this.table, Key: { id }, UpdateExpression: 'ADD #level :count', ReturnValues: 'ALL_NEW',
    }));
  }

  async takeAll(ids: string[]): Promise<void> {
    const TransactItems = ids.map((id) => ({ Update: { TableName: this.table, Key: { id } } }));
    if (this.audit) {
      TransactItems.push({ Put: { TableName: this.audit, Item: { ids } } } as never);
    }
    await this.#client.send(new TransactWriteCommand({ TransactItems }));
  }
}
