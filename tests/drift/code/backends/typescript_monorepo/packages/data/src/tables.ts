import { env, getEnv } from '@gym/common';
export const TABLE_NAMES = {
  members: env.MEMBERS_TABLE,
  classes: getEnv('CLASSES_TABLE', 'gym-classes'),
  bookings: 'gym-bookings',
  invoices: `gym-invoices`,
} as const satisfies Record<string, string | undefined>;
export type TableKey = keyof typeof TABLE_NAMES;
