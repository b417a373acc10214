def validate(event):
    return {key: event[key] for key in ("id", "flight")}


def unused(dynamodb):
    dynamodb.Table("travel-unused").scan()
