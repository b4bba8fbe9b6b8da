"""Checks a running host's API against its own description, and docs/api.md against both. Says what is wrong and ends
with 1.

    check_api.py answers PORT TOKEN    asks whatever the description allows, and more
    check_api.py documents PORT TOKEN FILE    compares FILE with the description and the metrics
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import jsonschema
import openapi_spec_validator

EXAMPLES = 30
# What a description cannot say: that `from` is to be before `to`.
UNCHECKED = "positive_data_acceptance"
# What is refused as too long is refused, too: 414 and 431 are not among the tool's own.
CONFIGURATION = """[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 428, 429, 431]
"""


def fetch(port, path, token):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def closed(description):
    """The description with objects that have the keys which it names and no others."""
    description = json.loads(json.dumps(description))
    for schema in description["components"]["schemas"].values():
        schema["additionalProperties"] = False
    return description


def check_answers(port, token):
    description = json.loads(fetch(port, "/openapi.json", token))
    openapi_spec_validator.validate(description)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "openapi.json"
        path.write_text(json.dumps(closed(description)))
        (pathlib.Path(folder) / "schemathesis.toml").write_text(CONFIGURATION)
        words = [
            "-m", "schemathesis.cli", "run", str(path), "--url", f"http://127.0.0.1:{port}",
            "--header", f"Authorization: Bearer {token}", "--exclude-path", "/api/v1/events", "--checks", "all",
            "--exclude-checks", UNCHECKED, "--max-examples", str(EXAMPLES), "--max-response-time", "5",
            "--continue-on-failure", "--no-color"]
        program = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"
        run = subprocess.run(
            [sys.executable, "-c", program, *words[2:]], cwd=folder, capture_output=True, text=True, timeout=300)
    print(run.stdout[-6000:], run.stderr[-2000:])
    problems = [] if run.returncode == 0 else ["schemathesis found failures"]
    return problems + check_events(port, token, closed(description))


# The schema of each event's data.
EVENTS = {
    "snapshot": "Snapshot", "reading": "Reading", "alert": "Alert", "adapter": "AdapterStatus",
    "delivery": "DeliveryStatus", "health": "HealthChange", "clock": "Clock"}


def check_events(port, token, description):
    """Follows the stream until it has seen a snapshot, and what a pause and a resume cause."""
    problems, seen = [], []
    headers = {"Authorization": f"Bearer {token}"}
    address = f"http://127.0.0.1:{port}/api/v1"

    def ask(action):
        request = urllib.request.Request(
            f"{address}/adapters/mock/{action}", data=b"", headers=headers, method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    # What was asked before may have left it paused.
    ask("resume")
    while json.loads(fetch(port, "/api/v1/adapters", token))["adapters"][0]["state"] != "running":
        time.sleep(0.05)
    with urllib.request.urlopen(urllib.request.Request(f"{address}/events", headers=headers), timeout=20) as stream:
        kind = None
        while not {"snapshot", "adapter", "health"} <= set(seen) or seen[-1] != "reading":
            line = stream.readline().decode()
            if line.startswith("event: "):
                kind = line[7:].strip()
            if not line.startswith("data: "):
                continue
            schema = {"$ref": f"#/components/schemas/{EVENTS[kind]}", "components": description["components"]}
            for error in jsonschema.Draft202012Validator(schema).iter_errors(json.loads(line[6:])):
                problems.append(f"the event {kind}: {error.json_path}: {error.message[:300]}")
            seen.append(kind)
            if kind == "snapshot":
                # The house of this test uses more than its threshold.
                alerts = [alert["kind"] for alert in json.loads(line[6:])["alerts"]]
                if alerts != ["high_consumption"]:
                    problems.append(f"the snapshot's alerts are {alerts}")
                ask("pause")
            if kind == "health":
                ask("resume")
    if seen[0] != "snapshot":
        problems.append(f"the first event is {seen[0]}")
    return problems


class Section:
    """What stands under a heading `### METHOD /path`."""

    def __init__(self, method, path, text):
        self.method, self.path = method.lower(), path
        self.examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.S)]
        table = re.search(r"^\| parameter \|.*?\n\n", text, re.M | re.S)
        self.parameters = re.findall(r"^\| `(\w+)` \|", table.group(), re.M) if table else []


def check_documents(port, token, file):
    description = closed(json.loads(fetch(port, "/openapi.json", token)))
    text = pathlib.Path(file).read_text()
    parts = re.split(r"^### (GET|POST) (\S+)$", text, flags=re.M)[1:]
    sections = [Section(*parts[index:index + 3]) for index in range(0, len(parts), 3)]
    problems = []
    documented = {(section.path, section.method) for section in sections}
    served = {(path, method) for path, methods in description["paths"].items() for method in methods}
    # A page is not part of the description.
    documented.discard(("/docs", "get"))
    problems += [f"{file} lacks {method} {path}" for path, method in sorted(served - documented)]
    problems += [f"{file} has {method} {path}, which is not served" for path, method in sorted(documented - served)]
    for section in sections:
        if (section.path, section.method) in served:
            problems += check_section(section, description)
    problems += check_metrics(text, fetch(port, "/metrics", token), file)
    return problems


def check_section(section, description):
    operation = description["paths"][section.path][section.method]
    name = f"{section.method} {section.path}"
    problems = []
    declared = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
    if sorted(declared) != sorted(section.parameters):
        problems.append(f"{name}: the document has the parameters {section.parameters}, the description {declared}")
    # The stream's example is its snapshot.
    schema = {"$ref": "#/components/schemas/Snapshot"}
    if section.path != "/api/v1/events":
        status = next(status for status in operation["responses"] if status.startswith("2"))
        schema = operation["responses"][status]["content"].get("application/json", {}).get("schema")
    if schema is None:
        return problems
    if len(section.examples) != 1:
        return problems + [f"{name}: the document has {len(section.examples)} examples"]
    validator = jsonschema.Draft202012Validator({**schema, "components": description["components"]})
    for error in validator.iter_errors(section.examples[0]):
        problems.append(f"{name}: the example: {error.json_path}: {error.message[:300]}")
    return problems


def check_metrics(text, metrics, file):
    declared = re.findall(r"^# TYPE (\S+) (\S+)$", metrics, re.M)
    documented = re.findall(r"^\| `(\w+)` \| (gauge|counter|histogram) \|", text, re.M)
    return [] if declared == documented else [
        f"{file}: the table of metrics differs: {sorted(set(declared) ^ set(documented)) or 'in its order'}"]


def main():
    what, port, token = sys.argv[1:4]
    problems = check_answers(port, token) if what == "answers" else check_documents(port, token, sys.argv[4])
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


main()
