"""Measures the release build against a real Home Assistant, a real InfluxDB and wrk; prints rows of the bench table.

Run by tools/bench.sh, which sets SMARTMETER_BUILD, SMARTMETER_HA_VENV, SMARTMETER_HA_TEMPLATE and BENCH_ADAPTERS.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests" / "EndToEndTests" / "Fixtures"))
from chromium import Page  # noqa: E402

BUILD = pathlib.Path(os.environ["SMARTMETER_BUILD"])
VENV = pathlib.Path(os.environ["SMARTMETER_HA_VENV"])
TEMPLATE = pathlib.Path(os.environ["SMARTMETER_HA_TEMPLATE"])
POLLS = 100
STARTS = 15
ENTITIES = 1000
POWER_SENSORS = 50
CIRCUITS = 500
EVENT_CLIENTS = 200
EVENT_READINGS = 60
QUERIES = 15
PAGE_LOADS = 15
WRK_SECONDS = 5
ROOT = pathlib.Path(__file__).resolve().parent.parent
STEADY = pathlib.Path(os.environ["BENCH_ADAPTERS"]) / "steady.so"
CHILDREN = 100
SCANNED = 100
COMMANDS = 5
DROPS = 7


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
            yield process.pid, port, folder


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
        with host(settings) as (pid, service, _):
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
            with host(settings) as (_, service, _):
                wait_until("a reading", lambda: request(service, "GET", "/consumption")[0] == 200, pause=0.0005)
                first_reading.append(time.monotonic() - begin)
                wait_until("a point", lambda: b'"values"' in request(port, "GET", query)[1], pause=0.0005)
                first_point.append(time.monotonic() - begin)
    for what, times in (("start to first reading", first_reading), ("start to first point in InfluxDB", first_point)):
        median, worst = statistics.median(times) * 1000, max(times) * 1000
        rows.append((what, f"{median:.0f} ms (worst {worst:.0f})", "< 100 ms", f"mock, median of {STARTS} starts"))


def wrk(port: int, path: str) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of their times in ms. The load has one core, the host the other."""
    words = ["wrk", "-t1", "-c16", f"-d{WRK_SECONDS}s", "--latency", f"http://127.0.0.1:{port}{path}"]
    text = subprocess.run(words, capture_output=True, text=True, check=True, preexec_fn=lambda: pin(1)).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"bench: {path}: {text}")
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", text).groups()
    scale = {"us": 0.001, "ms": 1, "s": 1000}[unit]
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)), float(number) * scale


def pin(core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def pin_process(pid: int, core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {cores[core % len(cores)]})


def measure_requests(rows: list) -> None:
    with host({"METER_TYPE": "mock"}) as (pid, port, _):
        wait_until("a reading", lambda: request(port, "GET", "/consumption")[0] == 200)
        pin_process(pid, 0)
        rate, late = wrk(port, "/health")
    how = f"wrk, 16 connections, {WRK_SECONDS} s; the host on one core, the load on the other"
    rows.append(("/health", f"{rate:,.0f} requests/s, 99 % within {late:.2f} ms", "> 10,000, < 5 ms", how))
    with temporary_folder() as folder:
        adapter = ROOT / "Tests" / "Adapters" / "crowd.c"
        subprocess.run(
            ["gcc", "-std=c11", "-O2", "-fPIC", "-shared", f"-DCIRCUITS={CIRCUITS}",
             f"-I{ROOT / 'Sources' / 'AdapterABI' / 'include'}", adapter, "-o", folder / "crowd.so"], check=True)
        # Without a stand-in, which would be there first.
        with host({"METER_TYPE": "crowd", "ADAPTER_PATH": str(folder), "FALLBACK": "none"}) as (pid, port, _):
            wait_until("a reading", lambda: request(port, "GET", "/consumption")[0] == 200)
            circuits = len(json.loads(request(port, "GET", "/consumption")[1])["circuits"])
            if circuits != CIRCUITS:
                raise SystemExit(f"bench: {circuits} circuits instead of {CIRCUITS}")
            pin_process(pid, 0)
            rate, late = wrk(port, "/consumption")
    rows.append((
        f"/consumption with {CIRCUITS} circuits", f"{rate:,.0f} requests/s, 99 % within {late:.2f} ms", "< 10 ms", how))


def measure_history(rows: list) -> None:
    with temporary_folder() as folder:
        data = folder / "data"
        subprocess.run([BUILD / "Benchmarks", "make-store", data], check=True)
        # No adapter of that type is there: what is stored of it is read all the same.
        settings = {"METER_TYPE": "benchmark", "FALLBACK": "none", "DATA_DIR": str(data), "HISTORY_DAYS": "36500"}
        with host(settings) as (_, port, _):
            wait_until("the host", lambda: request(port, "GET", "/live")[0] == 200)
            now = int(time.time())
            for what, days, resolution, aim in (
                    ("a month of hours", 30, "1h", "< 100 ms"), ("a year of days", 365, "1d", "< 1 s")):
                path = (f"/api/v1/history?circuit=*&circuit=total&resolution={resolution}"
                        f"&from={now - days * 86400}&to={now}")
                times, size = [], 0
                for _ in range(QUERIES):
                    begin = time.monotonic()
                    status, body = request(port, "GET", path)
                    times.append((time.monotonic() - begin) * 1000)
                    size = len(body)
                    if status != 200 or len(json.loads(body)["series"]) != 21:
                        raise SystemExit(f"bench: {path}: {status} {body[:300]}")
                rows.append((
                    f"{what} of 20 circuits", f"{statistics.median(times):.0f} ms (worst {max(times):.0f})", aim,
                    f"/api/v1/history, {size / 1024:.0f} KB, store of a year; median of {QUERIES} requests"))


def thread_cpu(pid: int, name: str) -> float:
    """Milliseconds of a thread's CPU."""
    return sum(
        int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
        if (task / "comm").read_text().strip() == name) / 1e6


def measure_events(rows: list) -> None:
    with host({"METER_TYPE": "mock", "MOCK_SAMPLE_SECONDS": "1"}) as (pid, port, _):
        wait_until("a reading", lambda: request(port, "GET", "/consumption")[0] == 200)
        clients = {}
        poll = select.epoll()
        for _ in range(EVENT_CLIENTS):
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.setblocking(False)
            clients[client.fileno()] = client
            poll.register(client, select.EPOLLIN)

        def read(seconds: float) -> int:
            """Readings that came, of all clients."""
            end, count = time.monotonic() + seconds, 0
            while (left := end - time.monotonic()) > 0:
                for descriptor, _ in poll.poll(left):
                    count += clients[descriptor].recv(1 << 16).count(b"event: reading\n")
            return count

        read(2)
        used = thread_cpu(pid, "http")
        readings = read(EVENT_READINGS) / EVENT_CLIENTS
        used = thread_cpu(pid, "http") - used
        for client in clients.values():
            client.close()
    if readings < EVENT_READINGS * 0.8:
        raise SystemExit(f"bench: {readings} readings came instead of {EVENT_READINGS}")
    rows.append((
        f"{EVENT_CLIENTS} clients of the event stream", f"{used / readings:.2f} ms of CPU a reading", "< 2 ms",
        f"schedstat of the http thread over {EVENT_READINGS} readings, a second apart; all it does in that time"))


def children(pid: int) -> list:
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def private_kb(pid: int) -> int:
    """What would be free if the process ended: anonymous memory and private pages of files. For root only."""
    rows = dict(line.split(":") for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return sum(int(rows[row].split()[0]) for row in ("Private_Clean", "Private_Dirty"))


def measure_children(rows: list) -> None:
    """Many adapters at once, each in a process of its own."""
    with temporary_folder() as folder:
        shutil.copy(STEADY, folder)
        settings = {
            "METER_TYPE": ",".join(f"steady@i{number}" for number in range(CHILDREN)), "ADAPTER_PATH": str(folder),
            "STEADY_SAMPLE_SECONDS": "1"}
        with host(settings) as (pid, service, _):
            wait_until("all of them", lambda: polls(service) >= 3 * CHILDREN, pause=0.2)
            processes = children(pid)
            assert len(processes) == CHILDREN, processes
            threads = [task for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                       if (task / "comm").read_text().startswith("adapter-")]

            def used() -> tuple:
                hosts = sum(int((task / "schedstat").read_text().split()[0]) for task in threads) / 1e9
                return hosts + sum(map(cpu_seconds, processes)), cpu_seconds(pid) + sum(map(cpu_seconds, processes))

            count, before, begin = polls(service), used(), time.monotonic()
            time.sleep(30)
            share = [(now - then) / (time.monotonic() - begin) * 100 for now, then in zip(used(), before)]
            readings = polls(service) - count
            private = statistics.mean(map(private_kb, processes)) / 1024 if os.geteuid() == 0 else None
    assert readings >= 29 * CHILDREN, readings
    how = f"{CHILDREN} adapters of 20 circuits in processes of their own, read every second"
    rows.append((f"{CHILDREN} isolated adapters at 1 s", f"{share[0]:.1f} % of one core", "< 10 %",
                 f"schedstat of the children and of their threads in the host, 30 s; with folding, storing and serving "
                 f"{share[1]:.1f} %; {how}"))
    memory = "only root may look" if private is None else f"{private:.1f} MB"
    rows.append(("memory a child", memory, "< 12 MB", f"private clean and dirty of smaps_rollup, mean; {how}"))


def measure_drops(rows: list) -> None:
    """From a file in the directory to a reading in the store, and from a crash to an adapter that runs again."""
    stored, restarted = [], []
    for _ in range(DROPS):
        with temporary_folder() as folder:
            settings = {"METER_TYPE": "mock,steady", "ADAPTER_PATH": str(folder), "STEADY_SAMPLE_SECONDS": "1"}
            with host(settings) as (pid, service, own):
                wait_until("the mock's reading", lambda: polls(service) >= 1)
                store = sqlite3.connect(f"file:{own / 'data' / 'smart-meter.db'}?mode=ro", uri=True)
                query = ("SELECT count(*) FROM slot s JOIN instance i ON i.id = s.instance "
                         "WHERE i.meter_type = 'steady'")
                begin = time.monotonic()
                shutil.copy(STEADY, folder)
                wait_until("a stored reading", lambda: store.execute(query).fetchone()[0] > 0, pause=0.005)
                stored.append(time.monotonic() - begin)
                store.close()
                log = own / "log"
                begin = time.monotonic()
                os.kill(children(pid)[0], signal.SIGSEGV)
                wait_until("a restart", lambda: b"adapter restarted" in log.read_bytes(), pause=0.005)
                restarted.append(time.monotonic() - begin)
    for what, times, aim, how in (
            ("dropped file to its first reading in the store", stored, "< 3 s", "copied with shutil.copy"),
            ("SIGSEGV of an adapter to restarted", restarted, "< 1.5 s", "a pause of 0.75 to 1 s among it")):
        median, worst = statistics.median(times), max(times)
        rows.append((what, f"{median:.2f} s (worst {worst:.2f})", aim, f"{how}; median of {DROPS}"))


def measure_commands(rows: list) -> None:
    """What an author of adapters waits for: the list of many, and the check of one."""
    with temporary_folder() as folder:
        adapters = folder / "adapters"
        adapters.mkdir()
        include = f"-I{ROOT / 'Sources' / 'AdapterABI' / 'include'}"
        for number in range(SCANNED):
            subprocess.run(
                ["gcc", "-std=c11", "-O2", "-fPIC", "-shared", include, f'-DMETER_TYPE_NAME="m{number}"',
                 ROOT / "Tests" / "Adapters" / "constant.c", "-o", adapters / f"m{number}.so"], check=True)
        environment = {
            "PATH": os.environ["PATH"], "DATA_DIR": str(folder / "data"), "ADAPTER_PATH": str(adapters), "TZ": "UTC"}

        def seconds(*words) -> list:
            times = []
            for _ in range(COMMANDS):
                begin = time.monotonic()
                output = subprocess.run(
                    [BUILD / "smart-meter", *words], env=environment, cwd=folder, capture_output=True, check=True)
                times.append(time.monotonic() - begin)
            return [times, output.stdout]

        times, output = seconds("adapters", "--json")
        assert len(json.loads(output)["adapters"]) > SCANNED, output
        rows.append((
            f"`smart-meter adapters` with {SCANNED} files", f"{statistics.median(times):.2f} s (worst {max(times):.2f})",
            "< 2 s", f"each looked at in a process of its own; median of {COMMANDS}"))
        times, output = seconds("check", "--json", BUILD / "libsmartmeter-mock.so")
        count = len(json.loads(output)["checks"])
        rows.append((
            "`smart-meter check` of the mock adapter", f"{statistics.median(times):.2f} s (worst {max(times):.2f})",
            "< 20 s", f"{count} checks, two children at a time; median of {COMMANDS}"))


def measure_page(rows: list) -> None:
    """The dashboard in Chromium: from the navigation to the first power that is shown."""
    with host({"METER_TYPE": "mock"}) as (_, port, _):
        wait_until("a reading", lambda: request(port, "GET", "/consumption")[0] == 200)
        times = []
        with Page() as page:
            for _ in range(PAGE_LOADS):
                page.open(f"http://127.0.0.1:{port}/")
                times.append(page.wait(
                    "the first numbers", "performance.getEntriesByName('first-numbers')[0]?.startTime"))
                page.open("about:blank")
            files = {urllib.parse.urlsplit(address).path for address in page.requests if f":{port}/" in address}
        own = [path for path in files if path == "/" or path.startswith("/assets/") and path != "/assets/chart.js"]
        size = sum(len(request(port, "GET", path)[1]) for path in own)
    rows.append((
        "the dashboard's first numbers", f"{statistics.median(times):.0f} ms (worst {max(times):.0f})", "< 300 ms",
        f"headless Chromium on loopback, from the navigation on; median of {PAGE_LOADS} loads, the first with an empty "
        "cache"))
    rows.append((
        "the dashboard without Chart.js", f"{size / 1024:.0f} KB in {len(own)} files", "< 150 KB", "uncompressed"))


def main() -> None:
    for measure in (
            measure_commands, measure_page, measure_requests, measure_history, measure_events, measure_drops,
            measure_children, measure_starts, measure_polls):
        rows: list = []
        measure(rows)
        for what, measured, aim, how in rows:
            print(f"| {what} | {measured} | {how}; aim {aim} |", flush=True)


if __name__ == "__main__":
    main()
