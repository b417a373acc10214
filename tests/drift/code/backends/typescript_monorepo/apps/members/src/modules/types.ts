export const TYPES = { MemberRepo: Symbol.for('MemberRepo'), Members: Symbol.for('Members'), Mailer: Symbol.for('Mailer') };
