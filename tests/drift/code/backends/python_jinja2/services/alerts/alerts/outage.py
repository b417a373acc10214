from .base import Alert
class Outage(Alert):
    def matches(self, row):
        return row["value"]["N"] == "0"
handler = Outage.as_handler()
