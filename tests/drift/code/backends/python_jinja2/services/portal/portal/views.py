from flask import Blueprint, jsonify
from smartgrid.domain.readings import ReadingStore
bp = Blueprint("readings", __name__)
@bp.get("/<meter_id>")
def readings(meter_id):
    return jsonify(list(ReadingStore().query(meter_id)))
