"""A headless Chromium, driven over the pipe of its DevTools protocol with the standard library alone."""

import base64
import json
import os
import pathlib
import select
import subprocess
import tempfile
import time


class Page:
    """One page of a browser of its own, with an empty profile. Use it in a `with`."""

    def __init__(self, width: int = 1440, height: int = 900, scheme: str = "light", locale: str = "en-US"):
        self.profile = tempfile.TemporaryDirectory(prefix="smart-meter-chromium-", ignore_cleanup_errors=True)
        # What the console says, and exceptions nobody caught; requests that failed are among it.
        self.complaints: list[str] = []
        self.requests: list[str] = []
        # Requests that wait until they are let go.
        self.held: list[str] = []
        self.next_id = 0
        self.pending = b""
        self.size = (width, height)
        read_theirs, self.write_ours = os.pipe()
        self.read_ours, write_theirs = os.pipe()
        # Chromium reads its commands from descriptor 3 and answers on 4.
        shell = f'exec setpriv --pdeathsig KILL -- "$@" 3<&{read_theirs} 4>&{write_theirs}'
        words = [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", f"--lang={locale}",
            # Names of a house are this machine: to a browser what they serve is not trustworthy, unlike 127.0.0.1.
            "--host-resolver-rules=MAP *.lan 127.0.0.1",
            f"--user-data-dir={self.profile.name}", "--remote-debugging-pipe"]
        self.process = subprocess.Popen(
            ["bash", "-c", shell, "chromium", *words], pass_fds=[read_theirs, write_theirs],
            env={"PATH": "/usr/bin:/bin", "HOME": self.profile.name}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(read_theirs)
        os.close(write_theirs)
        self.session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.send(f"{domain}.enable")
        # What Intl goes by, and what the page asks the navigator for.
        self.send("Emulation.setLocaleOverride", locale=locale)
        agent = self.send("Browser.getVersion")["userAgent"]
        self.send("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=locale)
        self.resize(width, height)
        self.prefer(scheme)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.write_ours)
        os.close(self.read_ours)
        self.profile.cleanup()

    def send(self, method: str, **parameters) -> dict:
        self.next_id += 1
        message = {"id": self.next_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_ours, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + 30
        while (answer := self.receive(end)) is not None:
            if answer.get("id") == self.next_id:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
        raise RuntimeError(f"{method}: no answer of Chromium within 30 s")

    def receive(self, end: float) -> dict | None:
        while b"\0" not in self.pending:
            if not select.select([self.read_ours], [], [], max(0, end - time.monotonic()))[0]:
                return None
            piece = os.read(self.read_ours, 1 << 20)
            if not piece:
                raise RuntimeError("Chromium has ended")
            self.pending += piece
        text, _, self.pending = self.pending.partition(b"\0")
        message = json.loads(text)
        self.note(message.get("method"), message.get("params", {}))
        return message

    def note(self, method: str | None, parameters: dict) -> None:
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(part.get("value", part)) for part in parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            entry = parameters["entry"]
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}".strip())
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Fetch.requestPaused":
            self.held.append(parameters["requestId"])

    def hold(self, pattern: str) -> None:
        """From now on requests to such addresses wait."""
        self.send("Fetch.enable", patterns=[{"urlPattern": pattern}])

    def wait_for_held(self, seconds: float = 15) -> None:
        end = time.monotonic() + seconds
        while not self.held:
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s in vain for a request to hold")
            # Events come with answers.
            self.evaluate("0")

    def let_go(self) -> None:
        """Those that wait go on, and none waits any more."""
        for request in self.held:
            self.send("Fetch.continueRequest", requestId=request)
        self.held = []
        self.send("Fetch.disable")

    def names(self, role: str) -> list[str]:
        """What a screen reader calls the things of a role, in their order."""
        nodes = self.send("Accessibility.getFullAXTree")["nodes"]
        return [node["name"]["value"] for node in nodes
                if not node["ignored"] and node["role"]["value"] == role]

    def set_clock(self, now: float) -> None:
        """What the clock of the pages opened from now on shows (seconds since the epoch)."""
        self.send("Page.addScriptToEvaluateOnNewDocument", source=f"""
          const shift = {now * 1000} - Date.now();
          globalThis.Date = class extends Date {{
            constructor(...parts) {{ parts.length ? super(...parts) : super(Date.now()); }}
            static now() {{ return super.now() + shift; }}
          }};""")

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)

    def evaluate(self, expression: str):
        """The value of a JavaScript expression; promises are waited for."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def wait(self, what: str, expression: str, seconds: float = 15):
        """Until the expression is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.evaluate(expression):
                return value
            time.sleep(0.02)
        raise AssertionError(f"waited {seconds} s in vain: {what}; the page: {self.evaluate('document.body.innerText')!r}")

    def press(self, key: str, code: int, modifiers: int = 0, text: str = "") -> None:
        for kind in ["keyDown", "keyUp"]:
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                      modifiers=modifiers, **({"text": text} if text and kind == "keyDown" else {}))

    def tab(self) -> None:
        self.press("Tab", 9)

    def enter(self) -> None:
        self.press("Enter", 13, text="\r")

    def space(self) -> None:
        self.press(" ", 32, text=" ")

    def escape(self) -> None:
        self.press("Escape", 27)

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def resize(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)

    def prefer(self, scheme: str) -> None:
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, file: pathlib.Path, whole: bool = True) -> None:
        """The whole page, or what is seen of it."""
        file.parent.mkdir(parents=True, exist_ok=True)
        clip = {}
        if whole:
            height = self.evaluate("document.documentElement.scrollHeight")
            clip = {"clip": {"x": 0, "y": 0, "width": self.size[0], "height": height, "scale": 1}}
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)
        file.write_bytes(base64.b64decode(answer["data"]))
