export { MemberRepo } from './repos/member.repo';
export { ClassRepo, type GymClass } from './repos/class.repo';
export * as tables from './tables';
export { Table, Repo } from './repos/repo';
export { createRepositories } from './factory';
export type { Repositories } from './factory';
