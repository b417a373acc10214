from core.events import Uploaded
from aws_lambda_powertools.utilities.data_classes import S3Event, event_source
@event_source(data_class=S3Event)
def on_upload(event: S3Event, context):
    for record in event.records:
        Uploaded(id=record.s3.get_object.key).emit()
