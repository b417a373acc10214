import { ExecuteStatementCommand } from '@aws-sdk/lib-dynamodb';
import { BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import { getClient } from '@shared/client';
import { Table, TABLES, tableName } from '@shared/config';

type Reader = (ids: string[]) => Promise<unknown>;

const readers: Record<string, Reader> = {
  async carts(ids) {
    return getClient().send(new BatchGetCommand({
      RequestItems: { [TABLES.carts]: { Keys: ids.map((id) => ({ id })) }, [tableName(Table.Orders)]: { Keys: [] } },
    }));
  },
};

export const handler = async (event: { kind: string; ids: string[] }) => {
  await readers[event.kind]?.(event.ids);
  const Statement = `SELECT * FROM "${tableName(Table.Customers)}"."by-name" WHERE "name" = ?`;
  return getClient().send(new ExecuteStatementCommand({ Statement }));
};
