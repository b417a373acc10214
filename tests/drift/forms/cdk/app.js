// Makes cdk.out: `npm install aws-cdk-lib constructs && node app.js`, then delete all but manifest.json, *.template.json
// and *.assets.json.
const { App, Stack, NestedStack, aws_dynamodb: dynamodb, aws_lambda: lambda } = require("aws-cdk-lib");

const stage = "dev";
const string = dynamodb.AttributeType.STRING;

class Tables extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const table = (name, key, type = string) =>
      new dynamodb.TableV2(this, name, {
        tableName: `${name.toLowerCase()}-${stage}`,
        partitionKey: { name: key, type },
      });
    this.orders = table("Orders", "id");
    this.orders.addGlobalSecondaryIndex({ indexName: "by-day", partitionKey: { name: "day", type: string } });
    this.carts = table("Carts", "session");
    this.invoices = table("Invoices", "number", dynamodb.AttributeType.NUMBER);
    this.invoices.addGlobalSecondaryIndex({
      indexName: "by-customer",
      partitionKey: { name: "customer", type: string },
    });
    this.letters = table("Letters", "id");
  }
}

const run = (scope, name) =>
  new lambda.Function(scope, name, {
    runtime: lambda.Runtime.PYTHON_3_13,
    handler: "index.main",
    code: lambda.Code.fromInline("def main(event, context): pass"),
  });

class Shop extends Stack {
  constructor(scope, id, { tables, ...props }) {
    super(scope, id, props);
    const checkout = run(this, "Checkout");
    tables.orders.grantReadWriteData(checkout);
    tables.carts.grant(checkout, "dynamodb:GetItem");
  }
}

class Reminders extends NestedStack {
  constructor(scope, id, tables) {
    super(scope, id);
    const remind = run(this, "Remind");
    tables.orders.grantReadWriteData(remind);
    tables.invoices.grantReadWriteData(remind);
    tables.letters.grantWriteData(remind);
  }
}

class Billing extends Stack {
  constructor(scope, id, { tables, ...props }) {
    super(scope, id, props);
    new Reminders(this, "Reminders", tables);
  }
}

const app = new App({ outdir: "cdk.out", analyticsReporting: false, context: { "aws:cdk:enable-path-metadata": true } });
const env = { account: "111122223333", region: "eu-central-1" };
const tables = new Tables(app, "Tables", { env });
new Shop(app, "ShopStack", { env, tables });
new Billing(app, "BillingStack", { env, tables });
app.synth();
