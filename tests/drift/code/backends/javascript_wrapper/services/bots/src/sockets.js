import { makeStore } from "./store";

const { SOCKETS, MEMBERS } = process.env;
const sockets = makeStore(SOCKETS);

export const connect = async (event) => {
  await sockets.save({ id: event.requestContext.connectionId });
};

export const broadcast = async (event) => {
  const members = makeStore(MEMBERS);
  for await (const socket of sockets.all()) {
    const member = await members.get({ id: socket.member });
    if (!member) await sockets.remove({ id: socket.id });
  }
};
