import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ClassRepo } from './repos/class.repo';
import { MemberRepo } from './repos/member.repo';
import { Repo } from './repos/repo';
import type { TableKey } from './tables';
const registry = { members: MemberRepo, classes: ClassRepo } as const;
export const createRepositories = (ddb = new DynamoDBClient({})) => {
  const make = (key: TableKey) => {
    const Type = registry[key as keyof typeof registry];
    return Type ? new Type() : new Repo(key, ddb);
  };
  return { members: new registry.members(), classes: new registry.classes(), invoices: new Repo<any>('invoices', ddb), make };
};
export type Repositories = ReturnType<typeof createRepositories>;
