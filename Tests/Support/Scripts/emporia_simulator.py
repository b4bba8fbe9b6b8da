"""Emporia's cloud on a loopback port: the login of Amazon Cognito (POST /) and Emporia's own service.

It calculates its side of the login by itself. What the house uses is a formula of the channel and the minute, so that a
test can tell every figure. Its clock is that of the machine until a test sets it.

    emporia_simulator.py ACCOUNT.json [PORT]     prints its port, then serves until it is killed

ACCOUNT.json: email, password, and devices: a list of
    {"gid", "name", "model", "parent": [gid, channel] or null, "zone_offset": seconds, "channels": [
        {"number", "name", "base": kWh a minute, "type", "type_gid", "multiplier", "parent"}], "balance": kWh a minute}
A test talks to it at /_control (JSON that is merged into the behaviour; "account" begins anew) and /_state.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import secrets
import sys
import threading
import time
import urllib.parse

POOL = "ghlOXVLi1"
CLIENT = "4qte47jbstod8apnfic0bunmrq"
N = int("".join("""
    FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
    EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED
    EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE45B3D C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8 FD24CF5F
    83655D23 DCA3AD96 1C62F356 208552BB 9ED52907 7096966D 670C354E 4ABC9804 F1746C08 CA18217C 32905E46 2E36CE3B
    E39E772C 180E8603 9B2783A2 EC07A28F B5C55DF0 6F4C52C9 DE2BCBF6 95581718 3995497C EA956AE5 15D22618 98FA0510
    15728E5A 8AAAC42D AD33170D 04507A33 A85521AB DF1CBA64 ECFB8504 58DBEF0A 8AEA7157 5D060C7D B3970F85 A6E1E4C7
    ABF5AE8C DB0933D7 1E8C94E0 4A25619D CEE3D226 1AD2EE6B F12FFA06 D98A0864 D8760273 3EC86A64 521F2B18 177B200C
    BBE11757 7A615D6C 770988C0 BAD946E2 08E24FA0 74E5AB31 43DB5BFC E0FD108E 4B82D120 A93AD2CA FFFFFFFF FFFFFFFF
    """.split()), 16)
G = 2
TIMESTAMP = re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
                       r"[1-9]\d? \d\d:\d\d:\d\d UTC \d{4}$")
# Of minutes; older ones are refused.
MINUTES_REACH = 3 * 86400
# A minute has its figures so long after its end.
LATENESS = 30
SCALES = {"1MIN": 60, "1H": 3600, "1D": 86400}


def padded(number: int) -> bytes:
    digits = f"{number:x}"
    digits = "0" + digits if len(digits) % 2 else digits
    return bytes.fromhex("00" + digits if digits[0] in "89abcdef" else digits)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class Pool:
    """The user pool: one user."""

    def __init__(self, email: str, password: str):
        self.email = email.lower()
        self.user_id = "0f8fad5b-d9cb-469f-a165-70867728950e"
        self.salt = secrets.randbits(128) | 1 << 127
        inner = sha256(f"{POOL}{self.user_id}:{password}".encode())
        self.verifier = pow(G, int.from_bytes(sha256(padded(self.salt) + inner), "big"), N)
        self.challenges: dict = {}
        self.refresh_tokens: set = set()
        self.id_tokens: dict = {}
        self.logins = 0
        self.renewals = 0
        self.refused = 0

    def token(self) -> str:
        return ".".join(secrets.token_urlsafe(size) for size in (20, 300, 200))

    def tokens(self, now: float, life: float) -> dict:
        token = self.token()
        self.id_tokens[token] = now + life
        return {"AccessToken": self.token(), "IdToken": token, "ExpiresIn": int(life), "TokenType": "Bearer"}

    def initiate(self, request: dict, behaviour: dict, now: float) -> tuple:
        parameters = request["AuthParameters"]
        if request["AuthFlow"] == "REFRESH_TOKEN_AUTH":
            if parameters["REFRESH_TOKEN"] not in self.refresh_tokens:
                return 400, error("NotAuthorizedException", "Invalid Refresh Token")
            self.renewals += 1
            return 200, {"AuthenticationResult": self.tokens(now, behaviour["life"]), "ChallengeParameters": {}}
        if parameters["USERNAME"] != self.email:
            return 400, error("UserNotFoundException", "User does not exist.")
        public = int(parameters["SRP_A"], 16)
        if public % N == 0 or parameters["SRP_A"] != f"{public:x}":
            return 400, error("InvalidParameterException", "SRP_A")
        k = int.from_bytes(sha256(bytes.fromhex("00" + f"{N:x}" + "02")), "big")
        secret = secrets.randbits(1024)
        server = (k * self.verifier + pow(G, secret, N)) % N
        block = base64.b64encode(secrets.token_bytes(200)).decode()
        self.challenges[block] = (public, secret, server)
        return 200, {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": {
            "USER_ID_FOR_SRP": self.user_id, "USERNAME": self.user_id, "SALT": f"{self.salt:x}",
            "SRP_B": f"{server:x}", "SECRET_BLOCK": block}}

    def respond(self, request: dict, behaviour: dict, now: float) -> tuple:
        answer = request["ChallengeResponses"]
        block = answer["PASSWORD_CLAIM_SECRET_BLOCK"]
        if answer["USERNAME"] != self.user_id or block not in self.challenges:
            return 400, error("NotAuthorizedException", "Invalid session for the user.")
        public, secret, server = self.challenges.pop(block)
        u = int.from_bytes(sha256(padded(public) + padded(server)), "big")
        shared = pow(public * pow(self.verifier, u, N), secret, N)
        extracted = hmac.digest(padded(u), padded(shared), "sha256")
        key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
        message = f"{POOL}{self.user_id}".encode() + base64.b64decode(block) + answer["TIMESTAMP"].encode()
        expected = base64.b64encode(hmac.digest(key, message, "sha256")).decode()
        if not TIMESTAMP.match(answer["TIMESTAMP"]) or answer["PASSWORD_CLAIM_SIGNATURE"] != expected:
            self.refused += 1
            return 400, error("NotAuthorizedException", "Incorrect username or password.")
        if behaviour["challenge"]:
            return 200, {"ChallengeName": behaviour["challenge"], "Session": self.token(), "ChallengeParameters": {}}
        self.logins += 1
        refresh = self.token()
        self.refresh_tokens.add(refresh)
        return 200, {"AuthenticationResult": self.tokens(now, behaviour["life"]) | {"RefreshToken": refresh},
                     "ChallengeParameters": {}}


def error(kind: str, message: str) -> dict:
    return {"__type": kind, "message": message}


class House:
    def __init__(self, devices: list, nests_net: bool):
        self.devices = {device["gid"]: device for device in devices}
        self.nests_net = nests_net
        self.cycles: dict = {}

    def children(self, gid: int, number: str) -> list:
        return [device for device in self.devices.values() if device.get("parent") == [gid, number]]

    def circuits(self, device: dict) -> list:
        return [channel for channel in device["channels"] if channel["number"] != "1,2,3" and not channel.get("parent")]

    def kwh(self, device: dict, number: str, minute: int) -> float:
        """Of a channel, with all that hangs on it, in one minute (since the epoch)."""
        if number == "1,2,3" and device.get("balance") is not None:
            own = sum(self.kwh(device, channel["number"], minute) for channel in self.circuits(device))
            return round(own + device["balance"], 7)
        channel = next(channel for channel in device["channels"] if channel["number"] == number)
        legs = [leg for leg in device["channels"] if leg.get("parent") == number]
        if legs:
            return round(sum(self.kwh(device, leg["number"], minute) for leg in legs), 7)
        base = channel["base"]
        varied = base * (1 + 0.1 * ((minute + sum(map(ord, number))) % 7))
        return round(varied + sum(self.kwh(child, "1,2,3", minute) for child in self.children(device["gid"], number)), 7)

    def sum(self, device: dict, number: str, start: int, end: int) -> float:
        """Of whole minutes. Figures come again every seven minutes."""
        first, last = start // 60, end // 60
        key = (device["gid"], number)
        if key not in self.cycles:
            self.cycles[key] = [self.kwh(device, number, minute) for minute in range(7)]
        cycle = self.cycles[key]
        rounds, rest = divmod(max(0, last - first), 7)
        return rounds * sum(cycle) + sum(cycle[minute % 7] for minute in range(first, first + rest))


class Simulator:
    lock = threading.Lock()

    def __init__(self, account: dict):
        self.account = account
        self.pool = Pool(account["email"], account["password"])
        self.house = House(account["devices"], account.get("nests_net", False))
        self.requests: list = []
        self.behaviour = {
            # Seconds of a token's life; a challenge instead of tokens; the clock (null = the machine's).
            "life": 3600, "challenge": None, "now": None,
            # Channels "gid-number" without figures, and for how many answers more; null = for good.
            "nulls": {},
            # As in an incident: figures of buckets that begin in [from, to) are 0; null = there is none.
            "zeros": None,
            # Whether the token "simulator" will do, as PyEmVue has it for simulators.
            "oracle": False,
            # Answers that come instead: {"path": prefix, "status", "retry_after", "count", "body", "delay"}.
            "faults": [],
        }

    @property
    def now(self) -> float:
        return time.time() if self.behaviour["now"] is None else self.behaviour["now"]

    def control(self, change: dict) -> None:
        if "account" in change:
            return self.__init__(change["account"])
        if change.pop("expire_tokens", False):
            self.pool.id_tokens.clear()
        if change.pop("refuse_refresh", False):
            self.pool.refresh_tokens.clear()
            self.pool.id_tokens.clear()
        if change.pop("forget", False):
            self.requests.clear()
        self.behaviour.update(change)

    def state(self) -> dict:
        pool = self.pool
        return {"requests": self.requests, "logins": pool.logins, "renewals": pool.renewals, "refused": pool.refused,
                "secrets": sorted(pool.refresh_tokens) + sorted(pool.id_tokens)}

    def fault(self, path: str):
        for fault in self.behaviour["faults"]:
            if path.startswith(fault["path"]) and fault.get("count", 1) > 0:
                fault["count"] = fault.get("count", 1) - 1
                return fault
        return None

    # Cognito

    def login(self, target: str, body: bytes) -> tuple:
        request = json.loads(body)
        if request.get("ClientId") != CLIENT:
            return 400, error("ResourceNotFoundException", "client")
        call = {"InitiateAuth": self.pool.initiate, "RespondToAuthChallenge": self.pool.respond}.get(
            target.removeprefix("AWSCognitoIdentityProviderService."))
        return call(request, self.behaviour, self.now) if call else (400, error("UnknownOperationException", target))

    # Emporia

    def is_authorized(self, token) -> bool:
        if self.behaviour["oracle"] and token == "simulator":
            return True
        return self.pool.id_tokens.get(token, 0) > self.now

    def devices(self) -> dict:
        def shown(device: dict) -> dict:
            channels = [{
                "deviceGid": device["gid"], "name": channel.get("name"), "channelNum": channel["number"],
                "channelMultiplier": channel.get("multiplier", 1.0), "channelTypeGid": channel.get("type_gid"),
                "type": channel.get("type", "FiftyAmp"), "parentChannelNum": channel.get("parent")}
                for channel in device["channels"]]
            mains = [channel for channel in channels if channel["channelNum"] == "1,2,3"]
            rest = [channel for channel in channels if channel["channelNum"] != "1,2,3"]
            parent = device.get("parent") or [None, None]
            clamps = [{"deviceGid": device["gid"] + 1, "manufacturerDeviceId": "", "model": "WAT001", "firmware": None,
                       "channels": [channel | {"deviceGid": device["gid"] + 1} for channel in rest], "devices": []}]
            return {
                "deviceGid": device["gid"], "manufacturerDeviceId": f"A2{device['gid']}", "model": device["model"],
                "firmware": "Vue2-1605563837", "parentDeviceGid": parent[0], "parentChannelNum": parent[1],
                "locationProperties": {
                    "deviceGid": device["gid"], "deviceName": device["name"], "timeZone": "America/New_York",
                    "usageCentPerKwHour": 15.0, "solar": False},
                "outlet": {"deviceGid": device["gid"], "outletOn": True} if device["model"] == "SSO001" else None,
                "channels": mains, "devices": clamps if rest else []}

        return {"customerGid": 1, "email": self.account["email"], "devices": list(
            map(shown, self.house.devices.values()))}

    def is_null(self, gid: int, number: str) -> bool:
        key = f"{gid}-{number}"
        nulls = self.behaviour["nulls"]
        for name in (key, "all"):
            if name in nulls:
                if nulls[name] is None:
                    return True
                if nulls[name] > 0:
                    nulls[name] -= 1
                    return True
        return False

    def is_zero(self, start: float) -> bool:
        zeros = self.behaviour["zeros"]
        return zeros is not None and zeros[0] <= start < zeros[1]

    def usages(self, query: dict) -> tuple:
        asked = [int(gid) for gid in query["deviceGids"].split(" ")]
        instant = parse(query["instant"])
        seconds = SCALES.get(query["scale"])
        if seconds is None or query["energyUnit"] != "KilowattHours":
            return 400, {"message": "scale"}
        if seconds == 60 and instant < self.now - MINUTES_REACH:
            return 400, {"message": "too old"}

        def figure(device: dict, number: str):
            if self.is_null(device["gid"], number):
                return None
            offset = device.get("zone_offset", 0) if seconds == 86400 else 0
            start = (int(instant) + offset) // seconds * seconds - offset
            end = start + seconds
            if self.is_zero(start):
                return 0.0
            if seconds == 60:
                if end > self.now - LATENESS:
                    return None
                return self.house.kwh(device, number, start // 60)
            # The day so far.
            return self.house.sum(device, number, start, min(end, int(self.now) // 60 * 60))

        def shown(device: dict) -> dict:
            gid = device["gid"]
            usages = []
            for channel in device["channels"]:
                if channel.get("parent"):
                    continue
                number = channel["number"]
                nested = [child for child in self.house.children(gid, number) if child["gid"] in asked]
                usage = figure(device, number)
                if self.house.nests_net and nested and usage is not None and number != "1,2,3":
                    usage = max(0, usage - sum(figure(child, "1,2,3") or 0 for child in nested))
                usages.append({
                    "name": "Main" if number == "1,2,3" else channel.get("name"), "usage": usage, "deviceGid": gid,
                    "channelNum": number, "percentage": 50.0, "nestedDevices": [shown(child) for child in nested]})
            if device.get("balance") is not None:
                mains = usages[0]["usage"]
                circuits = [figure(device, channel["number"]) for channel in self.house.circuits(device)]
                balance = None if mains is None or None in circuits else round(mains - sum(circuits), 7)
                usages.append({"name": "Balance", "usage": balance, "deviceGid": gid, "channelNum": "Balance",
                               "percentage": 10.0, "nestedDevices": []})
            if any(channel.get("type_gid") == 13 for channel in device["channels"]):
                mains = usages[0]["usage"]
                sign = self.account.get("to_grid_sign", 1)
                usages += [
                    {"name": name, "usage": value, "deviceGid": gid, "channelNum": name, "percentage": 10.0,
                     "nestedDevices": []}
                    for name, value in (
                        ("MainsFromGrid", None if mains is None else max(0, mains)),
                        ("MainsToGrid", None if mains is None else sign * max(0, -mains)))]
            return {"deviceGid": gid, "channelUsages": usages}

        known = [self.house.devices[gid] for gid in asked if gid in self.house.devices]
        top = [device for device in known if not device.get("parent") or device["parent"][0] not in asked]
        return 200, {"deviceListUsages": {
            "instant": query["instant"], "scale": query["scale"], "devices": [shown(device) for device in top],
            "energyUnit": "KilowattHours"}}

    def chart(self, query: dict) -> tuple:
        device = self.house.devices.get(int(query["deviceGid"]))
        start, end, seconds = parse(query["start"]), parse(query["end"]), SCALES.get(query["scale"])
        number = query["channel"]
        if device is None or seconds is None or all(channel["number"] != number for channel in device["channels"]):
            return 404, {"message": "no such channel"}
        if (end - start) / seconds > 800 or (seconds == 60 and start < self.now - MINUTES_REACH):
            return 400, {"message": "too old or too long"}
        start = start // seconds * seconds
        usages = []
        for bucket in range(int(start), int(end), seconds):
            missing = bucket + seconds > self.now - LATENESS or self.is_null(device["gid"], number)
            used = 0.0 if self.is_zero(bucket) else self.house.sum(device, number, bucket, bucket + seconds)
            usages.append(None if missing else used)
        return 200, {"firstUsageInstant": text(start), "usageList": usages}

    def service(self, path: str, query: dict) -> tuple:
        if path == "/customers":
            return 200, {"customerGid": 1, "email": self.account["email"], "firstName": "A", "lastName": "B",
                         "createdAt": "2020-01-01T12:34:56.789Z"}
        if path == "/customers/devices":
            return 200, self.devices()
        if path == "/AppAPI" and query.get("apiMethod") == "getDeviceListUsages":
            return self.usages(query)
        if path == "/AppAPI" and query.get("apiMethod") == "getChartUsage":
            return self.chart(query)
        return 404, {"message": "not found"}


def parse(instant: str) -> int:
    # As PyEmVue writes it, too: with a fraction.
    whole = re.match(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$", instant)
    return int(time.mktime(time.strptime(whole[1], "%Y-%m-%dT%H:%M:%S")))


def text(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    simulator: Simulator

    def log_message(self, *_):
        pass

    def reply(self, status: int, answer, headers: tuple = ()) -> None:
        body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def answer(self, body: bytes) -> None:
        simulator = self.simulator
        target = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(target.query, keep_blank_values=True))
        with simulator.lock:
            if target.path == "/_control":
                simulator.control(json.loads(body))
                return self.reply(200, {})
            if target.path == "/_state":
                return self.reply(200, simulator.state())
            call = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            simulator.requests.append(call or self.path)
            fault = simulator.fault(call or self.path)
            if fault is None:
                if self.command == "POST" and target.path == "/":
                    status, answer = simulator.login(self.headers.get("X-Amz-Target", ""), body)
                elif not simulator.is_authorized(self.headers.get("authtoken")):
                    status, answer = 401, {"message": "Unauthorized"}
                else:
                    status, answer = simulator.service(target.path, query)
                headers = ()
        if fault is not None:
            time.sleep(fault.get("delay", 0))
            status, answer = fault["status"], fault.get("body", "oops")
            headers = tuple((name, str(fault[key])) for name, key in (
                ("Retry-After", "retry_after"), ("Location", "location")) if key in fault)
        self.reply(status, answer, headers)

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def main() -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    with open(sys.argv[1], encoding="utf-8") as file:
        Handler.simulator = Simulator(json.load(file))
    server = Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
