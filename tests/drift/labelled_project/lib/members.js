const db = require("./db");

exports.findMember = async (id) => db.getOne(id, "shopMembers");
