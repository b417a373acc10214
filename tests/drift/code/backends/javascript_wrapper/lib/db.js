import {
  BatchGetCommand, BatchWriteCommand, DeleteCommand, GetCommand, PutCommand, QueryCommand, ScanCommand,
  TransactWriteCommand, UpdateCommand
} from "@aws-sdk/lib-dynamodb";
import docClient from "./docClient.js";
import { chunks } from "./arrays";

const suffix = () => process.env.ENVIRONMENT || "";

function errorFrom(error, table) {
  // A PutCommand here is only a word: new PutCommand({ TableName: "clubComments" })
  const text = `scan of ${table} failed`;
  return { statusCode: error.statusCode || 502, body: text };
}

export default {
  dynamoErrorResponse: errorFrom,

  getOne: async function (id, table, extraKeys = {}) {
    const params = { Key: { id, ...extraKeys }, TableName: table + suffix() };
    try {
      const result = await docClient.send(new GetCommand(params));
      return result.Item || null;
    } catch (err) {
      throw this.dynamoErrorResponse(err, table);
    }
  },

  async create(item, table) {
    const params = {
      Item: item,
      TableName: `${table}${suffix()}`,
      ConditionExpression: "attribute_not_exists(id)"
    };
    return docClient.send(new PutCommand(params));
  },

  async put(obj, table, createNew = false) {
    return createNew ? this.create(obj, table) : this.update(obj, table);
  },

  update: async (obj, table) => {
    const { id, ...rest } = obj;
    const params = { Key: { id }, TableName: table + suffix(), ReturnValues: "ALL_OLD", ...rest };
    return docClient.send(new UpdateCommand(params));
  },

  async deleteOne(id, table, extraKeys) {
    return docClient.send(new DeleteCommand({ Key: { id, ...extraKeys }, TableName: table + suffix() }));
  },

  async scan(table, filters = {}, indexName = null) {
    const params = { TableName: table + suffix(), ...filters };
    let items = [];
    let last;
    do {
      if (last) params.ExclusiveStartKey = last;
      if (indexName) params.IndexName = indexName;
      const page = await docClient.send(new ScanCommand(params));
      items = items.concat(page.Items);
      last = page.LastEvaluatedKey;
    } while (last);
    return items;
  },

  async query(table, indexName = null, keyCondition) {
    let params = { TableName: table + suffix() };
    if (indexName) {
      params = { ...params, IndexName: indexName };
    }
    params.KeyConditionExpression = keyCondition.expression;
    const result = await docClient.send(new QueryCommand(params));
    return result.Items;
  },

  async batchGet(ids, table) {
    const name = table + suffix();
    const results = [];
    for (const part of chunks(ids, 100)) {
      const batch = { RequestItems: { [name]: { Keys: part.map((id) => ({ id })) } } };
      const { Responses } = await docClient.send(new BatchGetCommand(batch));
      results.push(...Responses[name]);
    }
    return results;
  },

  async batchDelete(ids, table) {
    const requests = ids.map((id) => ({ DeleteRequest: { Key: { id } } }));
    const params = { RequestItems: {} };
    params.RequestItems[table + suffix()] = requests;
    await docClient.send(new BatchWriteCommand(params));
  },

  createPut(item, table) {
    return { Put: { TableName: table + suffix(), Item: item } };
  },

  async transact(items) {
    return docClient.send(new TransactWriteCommand({ TransactItems: items }));
  }
};
