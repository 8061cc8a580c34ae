"""Drives a sandbox with osaapi, unchanged, which can be told no more than a host and a port; prints what it found as one JSON object."""

import json
import sys

from osaapi import OSA, PBA, Transaction

host, operations_port, billing_port, package_url, plan, instance = sys.argv[1:7]
api = OSA(host, user="api", password="swordfish", port=operations_port)
stranger = OSA(host, user="api", password="guess", port=operations_port)
billing = PBA(host, port=billing_port)
found = {}


def result(envelope):
    assert envelope["status"] == 0, envelope
    return envelope.get("result")


report = result(api.statistics.getStatisticsReport(reports=[{"name": "BuildHistory", "value": ""}]))
found["build"] = "oa-8.0-1216" in report[0]["value"]
try:
    stranger.getServiceTemplateList(owner_id=1, active=True)
except Exception as error:
    found["stranger"] = getattr(error, "errcode", None)
template = result(api.getServiceTemplateList(owner_id=1, active=True))[0]["st_id"]
result(api.deactivateST(st_id=template))
found["active"] = result(api.getServiceTemplate(st_id=template, get_resources=False))["is_active"]
found["refused"] = api.activateST(st_id=999999)["status"]
with Transaction(api) as begun:
    found["transaction"] = type(begun.txn_id).__name__
    found["imported"] = result(begun.APS.importPackage(txn_id=begun.txn_id, package_url=package_url))
application = found["imported"]["application_id"]
reference = {"application_id": application, "application_version": found["imported"]["package_version"]}
found["package"] = result(api.APS.getPackage(package_reference=reference))["status"]
listed = result(api.APS.getApplicationInstances(app_id=application))
found["resource"] = listed[0]["application_resource_id"]
with Transaction(api) as begun:
    result(begun.APS.upgradeApplicationInstance(txn_id=begun.txn_id, application_instance_id=int(instance)))
found["instance"] = result(api.APS.getApplicationInstance(application_instance_id=int(instance)))["package_version"]
again = api.txn.Begin(request_id=begun.request_id)
found["again"] = again["extype_id"]
found["token"] = len(result(api.APS.getUserToken(user_id=1))["aps_token"]) > 0
found["fields"] = len(result(billing.Execute("PlanDetailsGet_API", [plan])))
found["billing_fault"] = billing.Execute("PlanDetailsGet_API", ["999"])["error_message"].decode()
print(json.dumps(found))
