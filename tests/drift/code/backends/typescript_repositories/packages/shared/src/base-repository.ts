import {
  DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, QueryCommandInput
} from '@aws-sdk/lib-dynamodb';

export interface Entity { id: string }

export abstract class BaseRepository<T extends Entity> {
  protected abstract readonly tableName: string;

  constructor(protected readonly client: DynamoDBDocumentClient) {}

  async findById(id: string): Promise<T | undefined> {
    const { Item } = await this.client.send(new GetCommand({ TableName: this.tableName, Key: { id } }));
    return Item as T | undefined;
  }

  async save(entity: T): Promise<void> {
    await this.client.send(new PutCommand({ TableName: this.tableName, Item: entity }));
  }

  async remove(id: string): Promise<void> {
    await this.client.send(new DeleteCommand({ TableName: this.tableName, Key: { id } }));
  }

  protected async queryIndex(IndexName: string, input: Partial<QueryCommandInput>): Promise<T[]> {
    const command = new QueryCommand({ TableName: this.tableName, IndexName, ...input } as QueryCommandInput);
    const { Items = [] } = await this.client.send(command);
    return Items as T[];
  }
}
