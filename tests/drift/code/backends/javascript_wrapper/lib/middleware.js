import middy from "@middy/core";

export const wrap = (handler) => middy(handler).use({ before: async () => {} });
export const withErrors = (inner) => async (event, context) => {
  try {
    return await inner(event, context);
  } catch (error) {
    return { statusCode: 500 };
  }
};
