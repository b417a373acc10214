import { AttributeValue, DeleteItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, ScanCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { TABLE_NAMES, type TableKey } from '../tables';

export const Table = (key: TableKey) => <T extends new (...args: any[]) => object>(target: T) => {
  return class extends target {
    readonly table = TABLE_NAMES[key];
  };
};
export interface IRepo<T> { get(id: string): Promise<T | null>; put(entity: T): Promise<T> }

const shared = new DynamoDBClient({});
export class Repo<T extends { id: string }> implements IRepo<T> {
  constructor(protected readonly name: TableKey, protected readonly ddb: DynamoDBClient = shared) {}
  protected get tableName(): string { return TABLE_NAMES[this.name] as string; }
  async get(id: string): Promise<T | null> {
    const out = await this.ddb.send(new GetItemCommand({ TableName: this.tableName, Key: marshall({ id }) }));
    return out.Item ? this.hydrate(out.Item) : null;
  }
  async put(entity: T): Promise<T> {
    await this.ddb.send(new PutItemCommand({ TableName: this.tableName, Item: marshall(entity) }));
    return entity;
  }
  async remove({ id }: Pick<T, 'id'>) {
    const input = { TableName: this.tableName, Key: marshall({ id }) };
    await this.ddb.send(new DeleteItemCommand(input));
  }
  protected async find(input: Partial<QueryCommandInput>): Promise<T[]> {
    const found: T[] = [];
    let start: Record<string, AttributeValue> | undefined;
    for (;;) {
      const page = await this.ddb.send(new QueryCommand({ TableName: this.tableName, ...input, ExclusiveStartKey: start }));
      found.push(...(page.Items?.map((item) => this.hydrate(item)) ?? []));
      if (!(start = page.LastEvaluatedKey)) return found;
    }
  }
  protected hydrate(item: Record<string, AttributeValue>): T { return unmarshall(item) as T; }
  count = async () => (await this.ddb.send(new ScanCommand({ TableName: this.tableName, Select: 'COUNT' }))).Count ?? 0;
}
