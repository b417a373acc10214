import { BatchGetItemCommand, BatchWriteItemCommand, DynamoDBClient, WriteRequest, ExecuteStatementCommand, TransactGetItemsCommand } from '@aws-sdk/client-dynamodb';
import { getEnv } from '@gym/common';
const client = new DynamoDBClient({});
const table = getEnv('LEDGER_TABLE');
const requests = (ids: string[]): Record<string, WriteRequest[]> => ({ [table]: ids.map((id) => ({ PutRequest: { Item: { id: { S: id } } } })) });
export async function handler(event: { ids: string[] }) {
  const { Responses } = await client.send(new BatchGetItemCommand({ RequestItems: { 'gym-invoices': { Keys: event.ids.map((id) => ({ id: { S: id } })) } } }));
  await client.send(new BatchWriteItemCommand({ RequestItems: requests(event.ids) }));
  await client.send(new ExecuteStatementCommand({ Statement: `SELECT id FROM "${table}"` }));
  const keys = ['gym-bookings'].map((TableName) => ({ Get: { TableName, Key: { id: { S: 'x' } } } }));
  const got = await client.send(new TransactGetItemsCommand({ TransactItems: keys }));
  return [Responses, got];
}
