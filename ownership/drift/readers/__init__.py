"""Readers of infrastructure: Serverless Framework, CloudFormation, a DynamoDB endpoint."""
