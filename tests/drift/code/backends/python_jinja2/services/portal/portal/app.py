from flask import Flask, jsonify, request
import serverless_wsgi
from smartgrid.domain.meters import Meter, MeterStore
from portal.views import bp
app = Flask(__name__)
app.register_blueprint(bp, url_prefix="/readings")
@app.route("/meters/<meter_id>", methods=["GET", "DELETE"])
def meter(meter_id):
    store = MeterStore()
    if request.method == "DELETE":
        store.deactivate(meter_id)
        return "", 204
    return jsonify(store.get(meter_id))
def handler(event, context):
    return serverless_wsgi.handle_request(app, event, context)
