import middy from '@middy/core';
import httpErrorHandler from '@middy/http-error-handler';
import { requireSession } from '@quiz/auth';
export const secured = (fn) => middy().use([requireSession(), httpErrorHandler()]).handler(fn);
export const open = (fn) => middy(fn).use(httpErrorHandler());
