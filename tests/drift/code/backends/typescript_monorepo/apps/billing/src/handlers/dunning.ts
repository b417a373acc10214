import type { LambdaInterface } from '@aws-lambda-powertools/commons/types';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { Repo } from '@gym/data';
const tracer = new Tracer({ serviceName: 'dunning' });
class Dunning implements LambdaInterface {
  private readonly invoices = new Repo<{ id: string }>('invoices');
  private members = new (class extends Repo<{ id: string }> { constructor() { super('members'); } })();
  @tracer.captureLambdaHandler()
  public async handler(_event: unknown, _context: unknown): Promise<void> {
    if ((await this.invoices.count()) > 0) await this.remind('x');
  }
  @tracer.captureMethod()
  private async remind(id: string) { return this.members.get(id); }
}
const dunning = new Dunning();
export const lambdaHandler = dunning.handler.bind(dunning);
