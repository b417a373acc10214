import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { PlayerController } from './controllers.js';
const app = new Hono();
const controller = new PlayerController();
app.get('/players/:id', controller.show);
app.post('/players', (c) => controller.create(c));
export const handler = handle(app);
