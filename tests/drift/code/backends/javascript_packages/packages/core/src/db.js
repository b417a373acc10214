import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as lib from '@aws-sdk/lib-dynamodb';

let cached = null;
function client() {
  if (!cached) {
    cached = lib.DynamoDBDocumentClient.from(new DynamoDBClient({ region: process.env.AWS_REGION }), {
      marshallOptions: { removeUndefinedValues: true },
    });
  }
  return cached;
}

const commands = {
  get: lib.GetCommand,
  put: lib.PutCommand,
  query: lib.QueryCommand,
  update: lib.UpdateCommand,
  delete: lib.DeleteCommand,
};

async function run(kind, input) {
  const Command = commands[kind];
  return client().send(new Command(input));
}

const isConditional = (e) => e.name === 'ConditionalCheckFailedException';

/** Fluent helper for one table. */
export function table(TableName) {
  const base = { TableName };
  return {
    async get(Key, options) {
      const { Item } = await run('get', { ...base, Key, ...options });
      return Item ?? null;
    },
    async put(Item, { onlyNew } = {}) {
      const input = { ...base, Item };
      if (onlyNew) input.ConditionExpression = 'attribute_not_exists(id)';
      try {
        return await run('put', input);
      } catch (e) {
        if (isConditional(e)) return null;
        throw e;
      }
    },
    async update(Key, changes) {
      const sets = Object.entries(changes).map(([k]) => `#${k} = :${k}`);
      return run('update', { ...base, Key, UpdateExpression: `SET ${sets}`, ReturnValues: 'ALL_NEW' });
    },
    remove: (Key) => run('delete', { ...base, Key }),
    query(IndexName, condition) {
      return run('query', { ...base, IndexName, ...condition }).then(({ Items = [] }) => Items);
    },
    async *pages(input = {}) {
      const pages = lib.paginateScan({ client: client(), pageSize: 100 }, { ...base, ...input });
      for await (const page of pages) yield page.Items;
    },
  };
}

export async function transact(build) {
  const writes = [];
  build({
    put: (TableName, Item) => writes.push({ Put: { TableName, Item } }),
    check: (TableName, Key) => writes.push({ ConditionCheck: { TableName, Key } }),
    update: (TableName, Key, rest) => writes.push({ Update: { TableName, Key, ...rest } }),
  });
  await client().send(new lib.TransactWriteCommand({ TransactItems: writes }));
}

export default table;
