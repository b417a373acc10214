class Pages:
    def __init__(self, query):
        self._query = query

    def __iter__(self):
        more = {}
        while True:
            page = self._query(**more)
            yield page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
