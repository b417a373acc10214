import table from '../../../packages/core/src/db.js';
const { PREFS } = process.env;
const prefs = table(PREFS);
const memo = new Map();
export const preferencesOf = async (id) => {
  if (memo.has(id)) return memo.get(id);
  const found = await prefs.get({ id });
  memo.set(id, found);
  return found;
};
export const forget = (id) => prefs.remove({ id });
