import { Repo } from './repo';
import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { TABLE_NAMES } from '../tables';
export interface GymClass { id: string; seats: number }
export class ClassRepo extends Repo<GymClass> {
  static readonly TABLE = 'classes' as const;
  constructor(name: 'classes' = ClassRepo.TABLE) { super(name); }
  book = async (classId: string, memberId: string) => {
    const { tableName } = this;
    const book = [
      { Put: { TableName: TABLE_NAMES.bookings, Item: { id: { S: classId + memberId } } } },
      { Update: { TableName: tableName, Key: { id: { S: classId } }, UpdateExpression: 'ADD seats :minus' } },
      { ConditionCheck: { TableName: TABLE_NAMES['members'], Key: { id: { S: memberId } }, ConditionExpression: 'attribute_exists(id)' } },
    ];
    await this.ddb.send(new TransactWriteItemsCommand({ TransactItems: book }));
  };
}
