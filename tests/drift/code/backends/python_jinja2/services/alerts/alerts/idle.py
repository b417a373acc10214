from alerts.base import Alert
from smartgrid.domain.audit import audited
class Idle(Alert):
    matches = lambda self, row: row.get("last") is None
    @audited("idle.run")
    def run(self):
        return super(Idle, self).run()
handler = Idle.as_handler()
