import { z } from 'zod';
const schema = z.object({ MEMBERS_TABLE: z.string().optional(), CLASSES_TABLE: z.string().optional(), STAGE: z.string().default('dev') });
export const env = schema.parse(process.env);
export const getEnv = <K extends string>(key: K, fallback?: string): string => {
  const value = process.env[key] ?? fallback;
  if (!value) throw new Error(`${key} is not set`);
  return value;
};
