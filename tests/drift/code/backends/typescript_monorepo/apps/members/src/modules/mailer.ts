import { injectable } from 'inversify';
export interface Mailer { welcome(email: string): Promise<void> }
@injectable()
export class WelcomeMailer implements Mailer {
  async welcome(email: string) { await fetch(`https://mail.example.org/${email}`); }
}
