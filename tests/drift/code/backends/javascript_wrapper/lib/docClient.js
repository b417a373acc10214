import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

const options = process.env.OFFLINE ? { endpoint: "http://localhost:8000" } : {};
const client = new DynamoDBClient({ region: "eu-west-1", ...options });

export default DynamoDBDocumentClient.from(client);
