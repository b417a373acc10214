def everything(operation, **arguments):
    """All items, page by page."""
    while True:
        page = operation(**arguments)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]
