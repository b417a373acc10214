import type { SQSHandler } from 'aws-lambda';
import { services } from '~/services';
export const handler: SQSHandler = async ({ Records }) => {
  await Promise.all(Records.map(async (record) => {
    const { memberId, amount } = JSON.parse(record.body);
    await services.invoices.create(memberId, amount);
  }));
};
