module.exports.ENVIRONMENT = process.env.ENVIRONMENT;
