import { table } from '@quiz/core';
const names = process.env.TABLES.split(',');
export const handler = async ({ which }) => table(names[which]).get({ id: '1' });
