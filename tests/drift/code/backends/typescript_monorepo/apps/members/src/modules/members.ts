import { inject, injectable } from 'inversify';
import { MemberRepo } from '@gym/data';
import { TYPES } from './types';
import type { Mailer } from './mailer';
export interface IMembers { register(email: string): Promise<void>; profile(id: string): Promise<unknown> }
@injectable()
export class Members implements IMembers {
  @inject(TYPES.Mailer) private mailer!: Mailer;
  constructor(@inject(TYPES.MemberRepo) private repo: MemberRepo) {}
  async register(email: string) {
    if (await this.repo.byEmail(email)) return;
    await this.repo.put({ id: email, email, plan: 'none' });
    await this.mailer.welcome(email);
  }
  profile(id: string) { return this.repo.get(id); }
}
