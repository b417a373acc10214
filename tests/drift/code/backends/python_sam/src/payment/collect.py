from gateway import Collector, DynamoPayments

collector = Collector(DynamoPayments())


def lambda_handler(event, context):
    return collector.collect(event)
