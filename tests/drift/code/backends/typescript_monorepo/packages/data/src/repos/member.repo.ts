import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { Logged } from '@gym/common';
import { Repo } from './repo';
export interface Member { id: string; email: string; plan: string }
export class MemberRepo extends Repo<Member> {
  constructor() { super('members'); }
  @Logged()
  async byEmail(email: string) { return (await this.find({ IndexName: 'email-index', KeyConditionExpression: 'email = :e' }))[0]; }
  @Logged()
  public async touch(id: string): Promise<void> {
    await this.ddb.send(new UpdateItemCommand({ TableName: this.tableName, Key: { id: { S: id } }, UpdateExpression: 'SET seen = :now' }));
  }
}
