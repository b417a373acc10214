export const MEMBERS_TABLE = "clubMembers";
export const EVENTS_TABLE = "clubEvents";
export const REGISTRATIONS_TABLE = "clubRegistrations";
export const PAYMENTS_TABLE = "clubPayments";
export const STICKERS_TABLE = "clubStickers";
export const UNUSED_TABLE = "clubUnused";
export const SOCKETS_TABLE = "clubSockets";
