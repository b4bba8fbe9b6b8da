"""Measures the release build against a real Home Assistant and a real InfluxDB; prints rows of the bench table.

Run by tools/bench.sh, which sets SMARTMETER_BUILD, SMARTMETER_HA_VENV and SMARTMETER_HA_TEMPLATE.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.parse

BUILD = pathlib.Path(os.environ["SMARTMETER_BUILD"])
VENV = pathlib.Path(os.environ["SMARTMETER_HA_VENV"])
TEMPLATE = pathlib.Path(os.environ["SMARTMETER_HA_TEMPLATE"])
POLLS = 100
STARTS = 15
ENTITIES = 1000
POWER_SENSORS = 50


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def request(port: int, method: str, path: str, body: str | None = None, headers: dict | None = None):
    """Status and body; (0, b"") where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def wait_until(what: str, condition, seconds: float = 60, pause: float = 0.001):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(pause)
    raise SystemExit(f"bench: waited in vain: {what}")


@contextlib.contextmanager
def running(arguments: list, folder: pathlib.Path, environment: dict):
    words = ["setpriv", "--pdeathsig", "KILL", "--", *map(str, arguments)]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def temporary_folder():
    with tempfile.TemporaryDirectory(prefix="smart-meter-bench-") as name:
        yield pathlib.Path(name)


@contextlib.contextmanager
def influxdb():
    with temporary_folder() as folder:
        port = free_port()
        (folder / "conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n[meta]\ndir = "{folder}/meta"\n'
            f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n[monitor]\nstore-enabled = false\n')
        with running(["influxd", "-config", folder / "conf"], folder, {**os.environ, "HOME": str(folder)}):
            wait_until("InfluxDB", lambda: request(port, "GET", "/ping")[0] == 204)
            yield port


@contextlib.contextmanager
def home_assistant():
    """Port and token of a Home Assistant with ENTITIES entities, POWER_SENSORS of them power sensors."""
    with temporary_folder() as folder:
        configuration = folder / "configuration"
        shutil.copytree(TEMPLATE, configuration)
        token = (configuration / "token").read_text().strip()
        port = free_port()
        (configuration / "configuration.yaml").write_text(
            "homeassistant: {name: Bench, latitude: 52.5, longitude: 13.4, elevation: 30, unit_system: metric, "
            "time_zone: UTC, currency: EUR, country: DE}\n"
            f"http: {{server_host: 127.0.0.1, server_port: {port}}}\napi:\nwebsocket_api:\n")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        environment = {**os.environ, "HOME": str(folder), "PATH": f"{VENV}/bin:{os.environ['PATH']}"}
        with running([VENV / "bin" / "hass", "--config", configuration], folder, environment):
            wait_until("Home Assistant", lambda: b'"RUNNING"' in request(port, "GET", "/api/config", None, headers)[1])
            for number in range(ENTITIES):
                name = "total_power" if number == 0 else f"power_{number}" if number < POWER_SENSORS else f"other_{number}"
                power = {"unit_of_measurement": "W", "device_class": "power", "state_class": "measurement"}
                attributes = {"friendly_name": name.replace("_", " ").title(), **(power if number < POWER_SENSORS else {})}
                body = json.dumps({"state": "4000" if number == 0 else str(number), "attributes": attributes})
                request(port, "POST", f"/api/states/sensor.{name}", body, headers)
            yield port, token


@contextlib.contextmanager
def host(settings: dict):
    with temporary_folder() as folder:
        port = free_port()
        environment = {
            "PATH": os.environ["PATH"], "DATA_DIR": str(folder / "data"), "SERVICE_PORT": str(port), "TZ": "UTC",
            "SWIFT_BACKTRACE": "enable=no", **settings}
        with running([BUILD / "smart-meter", "run"], folder, environment) as process:
            yield process.pid, port


def polls(port: int) -> int:
    status, body = request(port, "GET", "/health")
    return json.loads(body)["total_fetches"] if status == 200 else 0


def cpu_seconds(pid: int) -> float:
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def memory_kb(pid: int) -> tuple[int, int]:
    """Resident and anonymous, as the kernel counts them."""
    rows = dict(line.split(":") for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(rows["VmRSS"].split()[0]), int(rows["RssAnon"].split()[0])


def measure_polls(rows: list) -> None:
    with home_assistant() as (port, token):
        settings = {
            "METER_TYPE": "home_assistant", "HOME_ASSISTANT_URL": f"http://127.0.0.1:{port}",
            "HOME_ASSISTANT_TOKEN": token, "HOME_ASSISTANT_SAMPLE_SECONDS": "1"}
        with host(settings) as (pid, service):
            wait_until("the first polls", lambda: polls(service) >= 5, pause=0.1)
            count, cpu = polls(service), cpu_seconds(pid)
            wait_until("the polls", lambda: polls(service) >= count + POLLS, seconds=300, pause=1)
            used = (cpu_seconds(pid) - cpu) / (polls(service) - count)
            resident, anonymous = memory_kb(pid)
    how = f"home_assistant, {ENTITIES} entities, {POWER_SENSORS} power sensors, {POLLS} polls"
    rows.append(("resident memory", f"{resident / 1024:.1f} MB", "< 30 MB", f"VmRSS; {how}"))
    rows.append(("of it anonymous", f"{anonymous / 1024:.1f} MB", "< 8 MB", f"RssAnon; {how}"))
    rows.append(("CPU a poll", f"{used * 1000:.2f} ms", "< 5 ms", f"schedstat of all threads, all work included; {how}"))


def measure_starts(rows: list) -> None:
    first_reading, first_point = [], []
    with influxdb() as port:
        for number in range(STARTS):
            database = f"bench{number}"
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            request(port, "POST", "/query", f"q=CREATE+DATABASE+{database}", form)
            settings = {
                "METER_TYPE": "mock", "INFLUXDB_URL": f"http://127.0.0.1:{port}", "INFLUXDB_BUCKET": database,
                "INFLUXDB_API": "v1"}
            query = "/query?" + urllib.parse.urlencode({"db": database, "q": "SELECT * FROM smart_meter LIMIT 1"})
            begin = time.monotonic()
            with host(settings) as (_, service):
                wait_until("a reading", lambda: request(service, "GET", "/consumption")[0] == 200, pause=0.0005)
                first_reading.append(time.monotonic() - begin)
                wait_until("a point", lambda: b'"values"' in request(port, "GET", query)[1], pause=0.0005)
                first_point.append(time.monotonic() - begin)
    for what, times in (("start to first reading", first_reading), ("start to first point in InfluxDB", first_point)):
        median, worst = statistics.median(times) * 1000, max(times) * 1000
        rows.append((what, f"{median:.0f} ms (worst {worst:.0f})", "< 100 ms", f"mock, median of {STARTS} starts"))


def main() -> None:
    rows: list = []
    measure_starts(rows)
    measure_polls(rows)
    for what, measured, aim, how in rows:
        print(f"| {what} | {measured} | {how}; aim {aim} |")


if __name__ == "__main__":
    main()
