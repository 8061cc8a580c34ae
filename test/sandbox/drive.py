"""Drives a sandbox with Python's own xmlrpc.client; prints what it found as one JSON object."""

import base64
import json
import sys
import xmlrpc.client

operations_url, billing_url, package_url, plan = sys.argv[1:5]
operations = xmlrpc.client.ServerProxy(operations_url)
billing = xmlrpc.client.ServerProxy(billing_url)
found = {}


def pem(name, **arguments):
    return getattr(operations, name)(arguments)


def result(name, **arguments):
    envelope = pem(name, **arguments)
    assert envelope["status"] == 0, envelope
    return envelope.get("result")


found["methods"] = len(result("system.listMethods"))
templates = result("pem.getServiceTemplateList", owner_id=1, active=True)
template = templates[0]["st_id"]
found["deactivated"] = pem("pem.deactivateST", st_id=template)
found["active"] = result("pem.getServiceTemplate", st_id=template, get_resources=True, get_full_info=True)["is_active"]
found["wrong_type"] = pem("pem.activateST", st_id=str(template))["status"]
report = result("pem.statistics.getStatisticsReport", reports=[{"name": "BuildHistory", "value": ""}])
found["build"] = "oa-8.0-1216" in report[0]["value"]
request_id = "python"
transaction = result("txn.Begin", request_id=request_id)["txn_id"]
found["imported"] = result("pem.APS.importPackage", txn_id=transaction, package_url=package_url)
result("txn.Commit", txn_id=transaction)
status = 1
while status == 1:
    status = result("pem.getRequestStatus", request_id=request_id)["request_status"]
found["request_status"] = status
try:
    operations.pem.noSuchMethod({})
except xmlrpc.client.Fault as fault:
    found["fault"] = fault.faultString


def execute(method, *params):
    return billing.Execute({"Server": "BM", "Method": method, "Params": list(params)})["Result"][0]


details = execute("PlanDetailsGet_API", int(plan))
found["fields"] = len(details)
found["parameters"] = [row[0] for row in execute("PlanParamsGetAndValidate_API", int(plan), details[17])]
try:
    execute("PlanDetailsGet_API", 999)
except xmlrpc.client.Fault as fault:
    found["billing_fault"] = base64.b64decode(fault.faultString).decode()
print(json.dumps(found))
