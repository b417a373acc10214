import { DynamoDBDocument, paginateScan } from "@aws-sdk/lib-dynamodb";
import { DynamoDB } from "@aws-sdk/client-dynamodb";

const client = DynamoDBDocument.from(new DynamoDB({}));

export function makeStore(TableName) {
  return {
    get: (Key) => client.get({ TableName, Key }).then((result) => result.Item),
    save: (Item) => client.put({ TableName, Item }),
    async *all() {
      for await (const page of paginateScan({ client }, { TableName })) {
        yield* page.Items;
      }
    },
    remove: (Key) => client.delete({ TableName, Key })
  };
}
