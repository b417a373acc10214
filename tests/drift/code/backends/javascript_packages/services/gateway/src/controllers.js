import { table, Tables } from '@quiz/core';
export class PlayerController {
  constructor(players = table(Tables.PLAYER)) {
    this.players = players;
    this.show = this.show.bind(this);
  }
  async show(c) {
    return c.json(await this.players.get({ id: c.req.param('id') }));
  }
  async create(c) {
    const body = await c.req.json();
    await this.players.put(body);
    return c.json(body, 201);
  }
}
