import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as effects from './effects/index.js';
export const handler = async ({ Records }) => {
  for (const record of Records) {
    const effect = effects[`on${record.eventName}`];
    await effect?.(unmarshall(record.dynamodb.NewImage ?? record.dynamodb.OldImage));
  }
};
