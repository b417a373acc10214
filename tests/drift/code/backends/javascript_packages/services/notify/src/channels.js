import { SendEmailCommand, SESClient } from '@aws-sdk/client-ses';
import { table } from '@quiz/core';
const ses = new SESClient({});
class Channel {
  constructor(log) { this.log = log; }
  async deliver(message) {
    await this.send(message);
    await this.log?.put({ id: message.id, channel: this.constructor.name });
  }
}
class Email extends Channel {
  send(message) { return ses.send(new SendEmailCommand({ Destination: message.to })); }
}
class Push extends Channel {
  async send(message) { return fetch('https://push.example.org', { body: JSON.stringify(message) }); }
}
const sent = process.env.SENT ? table(process.env.SENT) : undefined;
export const channelFor = (kind) => new { email: Email, push: Push }[kind](sent);
export const channels = new Map([['email', new Email(sent)], ['push', new Push(sent)]]);
