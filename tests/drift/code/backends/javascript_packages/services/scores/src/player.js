import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';
import { Tables } from '@quiz/core/tables';
const dynamo = DynamoDBDocument.from(new DynamoDB({}));
export const handler = async (event) => {
  const { Item: player } = await dynamo.get({ TableName: Tables.PLAYER, Key: { id: event.id } });
  const { Items } = await dynamo.query({ TableName: Tables['SCORE'], IndexName: 'player-index' });
  return { player, Items };
};
