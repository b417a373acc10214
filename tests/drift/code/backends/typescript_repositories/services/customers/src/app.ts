import 'reflect-metadata';
import { inject, injectable, container } from 'tsyringe';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { getClient } from '@shared/client';
import { TABLES } from '@shared/config';
import { CustomerRepository } from '@domain/index';

@injectable()
class Sessions {
  constructor(private client: DynamoDBDocumentClient) {}

  async open(user: string): Promise<void> {
    await this.client.send(new PutCommand({ TableName: TABLES.sessions, Item: { user } }));
  }

  async current(user: string) {
    return this.client.send(new GetCommand({ TableName: TABLES.sessions, Key: { user } }));
  }
}

@injectable()
class LoginController {
  constructor(@inject(Sessions) private readonly sessions: Sessions) {}

  async run(user: string) {
    const session = await this.sessions.current(user);
    if (!session.Item) await this.sessions.open(user);
    return { statusCode: 204 };
  }
}

export const login = async (event: { user: string }) => container.resolve(LoginController).run(event.user);

export const rename = async (event: { id: string; name: string }) => {
  const customers = new CustomerRepository(getClient());
  await customers.rename(event.id, event.name);
};
