import os, logging
import boto3
class Alert:
    source_variable = "SOURCE_TABLE"
    def __init__(self):
        self.dynamodb = boto3.client("dynamodb")
        self.sns = boto3.client("sns")
    @property
    def source(self):
        return os.environ[self.source_variable]
    def rows(self):
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.source, PaginationConfig={"PageSize": 100}):
            yield from page["Items"]
    def matches(self, row):
        raise NotImplementedError
    def run(self):
        hits = [row for row in self.rows() if self.matches(row)]
        self.on_hits(hits)
        return len(hits)
    def on_hits(self, hits):
        for hit in hits:
            self.sns.publish(TopicArn="x", Message=str(hit))
    @classmethod
    def as_handler(cls):
        def handler(event, context):
            return cls().run()
        return handler
