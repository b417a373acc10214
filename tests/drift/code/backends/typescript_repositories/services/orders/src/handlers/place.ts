import type { APIGatewayProxyHandler } from 'aws-lambda';
import { container } from '../container';

export const handler: APIGatewayProxyHandler = async (event) => {
  const service = container.orderService;
  const order = await service.place(JSON.parse(event.body!));
  return { statusCode: 201, body: JSON.stringify(order) };
};
