import { BatchWriteCommand, BatchGetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
const ddb = DynamoDBDocumentClient.from(new DynamoDBClient());
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

export class Batch {
  #requests = {};
  put(table, item) {
    (this.#requests[table] ??= []).push({ PutRequest: { Item: item } });
    return this;
  }
  delete(table, key) {
    this.#requests[table] = this.#requests[table] || [];
    this.#requests[table].push({ DeleteRequest: { Key: key } });
    return this;
  }
  async flush(attempt = 0) {
    const response = await ddb.send(new BatchWriteCommand({ RequestItems: this.#requests }));
    if (Object.keys(response.UnprocessedItems ?? {}).length > 0) {
      await sleep(2 ** attempt * 50);
      this.#requests = response.UnprocessedItems;
      return this.flush(attempt + 1);
    }
  }
}

export const batchGet = async (TableName, keys) => {
  const unique = [...new Set(keys)];
  const results = [];
  let request = { [TableName]: { Keys: unique.map((id) => ({ id })) } };
  while (request) {
    const out = await ddb.send(new BatchGetCommand({ RequestItems: request }));
    results.push(...(out.Responses?.[TableName] ?? []));
    request = Object.keys(out.UnprocessedKeys || {}).length ? out.UnprocessedKeys : null;
  }
  return results;
};
