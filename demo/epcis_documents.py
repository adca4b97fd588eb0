"""EPCIS 2.0 documents for the checks: events of all five types, and a reader of what comes back."""
import datetime
import json
import re
import uuid

from processes import wait_until
from stage import require

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
MAKER = "https://id.gs1.org/01/09521321000017/21/"  # of another maker, in GS1's range for examples
COMPONENT = "https://id.gs1.org/01/09521321000024/21/"
CASE = "https://id.gs1.org/00/095213210000000019"


def document(events):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"@context": [CONTEXT], "type": "EPCISDocument", "schemaVersion": "2.0",
            "creationDate": now.isoformat(timespec="milliseconds"), "epcisBody": {"eventList": events}}


def event(kind, read_point, **more):
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
    return {"type": kind, "eventID": f"urn:uuid:{uuid.uuid4()}",
            "eventTime": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "eventTimeZoneOffset": "+08:00", "readPoint": {"id": read_point}, **more}


def observed(read_point, epcs, step="storing"):
    return event("ObjectEvent", read_point, epcList=epcs, action="OBSERVE", bizStep=step)


def one_of_each(read_point):
    step = {"bizStep": "assembling"}
    return [
        event("ObjectEvent", read_point, epcList=[MAKER + "7001"], action="ADD", bizStep="commissioning",
              disposition="active", sensorElementList=[{"sensorReport": [
                  {"type": "Temperature", "value": 21.5, "uom": "CEL"}]}]),
        event("AggregationEvent", read_point, parentID=CASE, childEPCs=[MAKER + "7001", MAKER + "7002"],
              action="ADD", bizStep="packing", disposition="in_progress"),
        event("TransactionEvent", read_point, epcList=[MAKER + "7001"], action="ADD", bizStep="shipping",
              bizTransactionList=[{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:9521321000017:4711"}]),
        event("TransformationEvent", read_point, inputEPCList=[COMPONENT + "1"], outputEPCList=[MAKER + "7003"],
              **step),
        event("AssociationEvent", read_point, parentID=MAKER + "7001", childEPCs=[COMPONENT + "2"], action="ADD",
              **step),
    ]


def capture(client, content, kind="application/json"):
    """The job of a capture, when it is done. `content`: a document, or its text."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    status, reply = client.send("POST", "/epcis/capture", data, headers={"Content-Type": kind})
    require(status == 202, f"a capture was answered {status}: {reply}")
    job = client.fields["Location"]
    return wait_until(lambda: not (done := client.get(job))["running"] and done, 30, "a capture ends")


def find(client, parameters, per_page=1000):
    """Every event that the query finds, page by page."""
    found, token = [], ""
    while True:
        reply = client.get(f"/epcis/events?{parameters}&perPage={per_page}{token}")
        found += reply["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        more = re.search(r"nextPageToken=([^&>]+)", client.fields.get("Link", ""))
        if more is None:
            return found
        token = f"&nextPageToken={more.group(1)}"


def differs(sent, came):
    """Names of members that did not come back as they were sent."""
    return [name for name, value in sent.items() if came.get(name) != value]
