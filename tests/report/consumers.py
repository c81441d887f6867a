#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""consumers: what readers that are not ours make of our reports; prints one JSON object.

    tests/report/consumers.py JUNIT SARIF

Debian's Python, for its packages python3-junitparser and python3-sarif-python-om (the object model that SARIF's authors
generate from the schema: a constructor refuses what the schema does not know, and what lacks a required member).
"""
import json
import sys

import junitparser
import sarif_om

# Which class an object under this name is of; a list's items have the class of the list's name.
CLASSES = {
    "runs": sarif_om.Run, "tool": sarif_om.Tool, "driver": sarif_om.ToolComponent, "rules": sarif_om.ReportingDescriptor,
    "shortDescription": sarif_om.MultiformatMessageString, "invocations": sarif_om.Invocation,
    "results": sarif_om.Result, "message": sarif_om.Message, "locations": sarif_om.Location,
    "location": sarif_om.Location, "physicalLocation": sarif_om.PhysicalLocation,
    "artifactLocation": sarif_om.ArtifactLocation, "region": sarif_om.Region,
    "logicalLocations": sarif_om.LogicalLocation, "codeFlows": sarif_om.CodeFlow, "threadFlows": sarif_om.ThreadFlow,
    "toolExecutionNotifications": sarif_om.Notification, "description": sarif_om.Message,
}
# Objects whose names are ours to choose.
FREE = {"properties", "partialFingerprints"}


def python_name(kind, name):
    """The constructor's argument for a member of the format."""
    for attribute in kind.__attrs_attrs__:
        if attribute.metadata.get("schema_property_name", attribute.name) == name:
            return attribute.name
    raise TypeError(f"{kind.__name__} has no {name}")


def build(value, name, above=""):
    """The object of the model for a piece of a log."""
    if isinstance(value, list):
        return [build(item, name, above) for item in value]
    if not isinstance(value, dict) or name in FREE:
        return value
    if name == "originalUriBaseIds":
        return {key: build(item, "artifactLocation") for key, item in value.items()}
    kind = sarif_om.ThreadFlowLocation if (name, above) == ("locations", "threadFlows") else CLASSES[name]
    return kind(**{python_name(kind, key): build(item, key, name) for key, item in value.items()})


def main():
    junit, sarif = sys.argv[1:]
    suites = junitparser.JUnitXml.fromfile(junit)
    log = json.load(open(sarif, encoding="utf-8"))
    model = sarif_om.SarifLog(**{python_name(sarif_om.SarifLog, key): build(value, key) for key, value in log.items()})
    flows = [flow for result in model.runs[0].results for code in result.code_flows or [] for flow in code.thread_flows]
    json.dump({
        "suites": {suite.name: [suite.tests, suite.failures, suite.errors, suite.skipped] for suite in suites},
        "cases": {f"{case.classname} {case.name}": sorted(type(item).__name__ for item in case.result)
                  for suite in suites for case in suite},
        "results": {result.partial_fingerprints["constrictorSignature/v1"]: result.level
                    for result in model.runs[0].results},
        "rules": sorted({result.rule_id for result in model.runs[0].results} -
                        {rule.id for rule in model.runs[0].tool.driver.rules}),
        "flow_steps": sum(len(flow.locations) for flow in flows),
    }, sys.stdout)


if __name__ == "__main__":
    main()
