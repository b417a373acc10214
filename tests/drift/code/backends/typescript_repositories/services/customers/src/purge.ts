import { BatchWriteCommand, BatchWriteCommandInput, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { getClient } from '@shared/client';
import { TABLES } from '@shared/config';

type Requests = NonNullable<BatchWriteCommandInput['RequestItems']>;

function add(requests: Requests, table: string, id: string): void {
  const list = requests[table] ?? [];
  list.push({ DeleteRequest: { Key: { id } } });
  requests[table] = list;
}

async function flush(client: DynamoDBDocumentClient, RequestItems: Requests): Promise<void> {
  if (Object.keys(RequestItems).length === 0) return;
  const { UnprocessedItems } = await client.send(new BatchWriteCommand({ RequestItems }));
  if (UnprocessedItems) await flush(client, RequestItems);
}

export const lambdaHandler = async (event: { ids: string[] }) => {
  const requests: Requests = {};
  for (const id of event.ids) {
    add(requests, TABLES.sessions, id);
    add(requests, TABLES.carts, id);
  }
  await flush(getClient(), requests);
};
