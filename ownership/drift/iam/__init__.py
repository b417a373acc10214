"""What IAM policies permit, and which actions of DynamoDB read or write."""
