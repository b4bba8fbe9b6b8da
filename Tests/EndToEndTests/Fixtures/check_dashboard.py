"""Looks at the dashboard of a running host in Chromium: check_dashboard.py CHECK PORT [ARGUMENT...].

Ends with 0 and says what it has seen, or fails with what was not as it should be.
"""

import json
import pathlib
import sys
import time
import urllib.request
import zoneinfo
from datetime import datetime

from chromium import Page

STATE = "document.getElementById('live')?.dataset.state"
LIVE = f"{STATE} === 'live'"
POWER = "document.getElementById('power').textContent"
CIRCUITS = "document.querySelectorAll('#circuits li').length"
# A chart that has drawn something: pixels of the canvas that are not empty.
DRAWN = """(() => {
  const canvas = document.getElementById('plot');
  if (!window.Chart || canvas.hidden || !canvas.width || !Chart.getChart(canvas)) return 0;
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let index = 3; index < data.length; index += 4) if (data[index]) count += 1;
  return count;
})()"""


def expect(condition, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def opened(page: Page, port: str) -> str:
    url = f"http://127.0.0.1:{port}/"
    page.open(url)
    page.wait("the page to be live", LIVE)
    return url


def quiet(page: Page) -> None:
    expect(page.complaints == [], f"the console says: {page.complaints}")


def words(text: str) -> str:
    """With spaces that may break, one between words."""
    return " ".join(text.split())


def check_look(port: str, folder: str, zone: str) -> None:
    """Shows what there is, goes on by itself, and fits on a phone and on a desk, light and dark."""
    with Page() as page:
        url = opened(page, port)
        page.wait("the first numbers", f"{POWER} !== '–' && {CIRCUITS} >= 6")
        expect(page.text(".now .marks").strip() == "Simulated", f"the mock is marked: {page.text('.now .marks')!r}")
        expect("Simulated" in page.text("#meters"), "the meter of the mock is marked")
        shown = page.text("#asof")
        expected = datetime.now(zoneinfo.ZoneInfo(zone)).strftime("%I:%M").lstrip("0")
        before = datetime.fromtimestamp(datetime.now().timestamp() - 60, zoneinfo.ZoneInfo(zone))
        expect(expected in shown or before.strftime("%I:%M").lstrip("0") in shown, f"{shown!r} is not {expected} of {zone}")
        first = page.evaluate(POWER + " + document.getElementById('asof').textContent")
        page.wait("another reading", f"{POWER} + document.getElementById('asof').textContent !== {json.dumps(first)}")
        chosen = "document.querySelector('input[name=range]:checked').value"
        page.wait("the hour of a house that is young", f"{chosen} === 'hour' && {DRAWN} > 500")
        for choice in ["day", "week", "month", "hour", "day"]:
            page.evaluate(f"document.querySelector('input[value={choice}]').click()")
            page.wait(f"the chart of the {choice}", f"{DRAWN} > 500")
        expect("consumption" in page.text("#today").lower(), "the energy of the day is shown")
        for width, height in [(390, 844), (1440, 900)]:
            for scheme in ["light", "dark"]:
                page.resize(width, height)
                page.prefer(scheme)
                page.wait("the chart in its size", f"{DRAWN} > 500")
                expect(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"it is wider than {width}")
                back = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g)[0]")
                expect((int(back) < 60) == (scheme == "dark"), f"the page is not {scheme}: {back}")
                page.screenshot(pathlib.Path(folder) / f"dashboard-{width}-{scheme}.png")
        size = page.evaluate("""[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
          .filter((one) => /[/]$|[/]assets[/]/.test(one.name) && !one.name.endsWith('/assets/chart.js'))
          .reduce((sum, one) => sum + one.decodedBodySize, 0)""")
        expect(50_000 < size < 150 * 1024, f"the page and its files are {size} bytes")
        strangers = [address for address in page.requests if not address.startswith((url, "data:"))]
        expect(strangers == [], f"it asks others: {strangers}")
        quiet(page)
    with Page(locale="de-DE") as page:
        opened(page, port)
        page.wait("numbers of a German browser", "/^[0-9.]*,[0-9]+$/.test(document.querySelector('#today dd span').textContent)")
        quiet(page)


def check_house(port: str) -> None:
    """The house worked out by hand (HouseByHandTests), at its midnight: the night, the alerts, what is part of what."""
    with Page(locale="en-GB") as page:
        opened(page, port)
        page.wait("the night", "document.querySelectorAll('#nights li .fill.high').length === 1")
        summary = words(page.text("#nights-sum"))
        expect(summary == "200 W in the last night, above your limit of 150 W. In a year that is 1,753 kWh, €491.", summary)
        night = words(page.text("#nights"))
        expect("Sun 14 Jun" in night, night)
        expect("Server 150 W (€368 a year) · Garage 20 W (€49 a year)" in night, night)
        page.wait("the alerts", "document.querySelectorAll('#alerts li.raised .mark').length === 2")
        alerts = words(page.text("#alerts"))
        expect("High consumption Now Since Sun 14 Jun, 22:05: peak 5.00 kW, above 4500.0 W" in alerts, alerts)
        expect("Phantom load Now Since Sun 14 Jun, 3:00: peak 200 W" in alerts, alerts)
        rows = page.evaluate("""[...document.querySelectorAll('#circuits li')].map((one) =>
          ['name', 'inside', 'watts', 'share'].map((part) => one.querySelector('.' + part).textContent.replace(/\\s/g, ' '))
            .concat(one.querySelector('.fill').style.inlineSize, one.className === 'none'))""")
        # Name, part of, power, share, bar, and whether it is no part of the chart. What is not measured comes last of those
        # that use, and what supplies comes after them, by its own power. Nothing is left over: the server is not measured.
        expected = [
            ["Car", "", "4.00 kW", "80%", "100%", False], ["Heat pump", "", "500 W", "10%", "12.5%", False],
            ["Compressor", "in Heat pump", "460 W", "9.2%", "11.5%", True], ["Garage", "", "40 W", "0.8%", "1%", False],
            ["Dryer", "in Garage", "0 W", "0%", "0%", True], ["Server", "", "–", "", "0%", False],
            ["Phase 1", "", "4.00 kW", "grid", "0%", True], ["Phase 2", "", "400 W", "grid", "0%", True],
            ["Phase 3", "", "300 W", "grid", "0%", True],
        ]
        expect(rows == expected, f"the circuits are {rows}")
        page.wait("a chart", f"{DRAWN} > 500")
        page.evaluate("document.getElementById('as-table').open = true")
        page.wait("the table", "document.querySelectorAll('#history-table tbody tr').length > 0")
        heads = page.evaluate("[...document.querySelectorAll('#history-table thead th')].map((one) => one.textContent)")
        expect("Compressor" not in heads and "Dryer" not in heads, f"counted within and beside their parents: {heads}")
        quiet(page)


def check_visits(port: str) -> None:
    """A page that was left holds no connection: a browser has six for a host, and would wait for one for ever."""
    with Page() as page:
        for _ in range(8):
            opened(page, port)
            page.open("about:blank")
            page.wait("the other page", "location.href === 'about:blank'")
        page.evaluate("history.back()")
        page.wait("the page that was left", f"location.pathname === '/' && {LIVE}")
        quiet(page)


def check_restart(port: str) -> None:
    """Says when the service is gone, and goes on when it is back. Its caller ends and starts the host meanwhile."""
    with Page() as page:
        opened(page, port)
        page.wait("a circuit", f"{CIRCUITS} > 0")
        print("LIVE", flush=True)
        page.wait("that it is not live", f"{STATE} === 'lost'")
        expect(page.text("#live").startswith("Not live"), page.text("#live"))
        expect(float(page.evaluate("getComputedStyle(document.querySelector('.big')).opacity")) < 1, "old numbers are dim")
        page.evaluate(f"{meter('mock')}.querySelector('button').click()")
        answer(page, "mock", "The service cannot be reached.")
        print("LOST", flush=True)
        page.wait("that it is live again", LIVE, 30)
        expect(page.evaluate("!document.getElementById('house').classList.contains('lost')"), "no longer dim")
        others = [one for one in page.complaints if "ERR_" not in one]
        expect(others == [], f"the console says: {others}")


def check_names(port: str, *names: str) -> None:
    """Names that are markup or paths are text, in the list, as a title and in the table."""
    with Page() as page:
        opened(page, port)
        page.wait("the circuits", f"{CIRCUITS} >= {len(names)}")
        shown = page.evaluate("[...document.querySelectorAll('#circuits .name')].map((one) => one.textContent)")
        for name in names:
            expect(name in shown, f"{name!r} is not among {shown}")
        page.evaluate("document.getElementById('as-table').open = true")
        page.wait("the table", "document.querySelectorAll('#history-table tbody tr').length > 0")
        heads = page.evaluate("[...document.querySelectorAll('#history-table thead th')].map((one) => one.textContent)")
        for name in names:
            expect(name in heads, f"{name!r} is not among {heads}")
            page.evaluate(f"[...document.querySelectorAll('#circuits button')]"
                          f".find((one) => one.querySelector('.name').textContent === {json.dumps(name)}).click()")
            expect(page.text("#history-title") == name, f"{page.text('#history-title')!r} is not {name!r}")
            page.wait(f"the history of {name}", f"document.querySelectorAll('#history-table thead th').length === 3"
                      f" && document.querySelectorAll('#history-table thead th')[1].textContent === {json.dumps(name)}"
                      " && document.querySelectorAll('#history-table tbody tr').length > 0")
        scripts = page.evaluate("[...document.scripts].map((one) => new URL(one.src || 'x:inline').pathname).sort()")
        expect(scripts == ["/assets/chart.js", "/assets/dashboard.js"], f"scripts: {scripts}")
        quiet(page)


def check_keys(port: str) -> None:
    """Everything that can be pressed is reached with Tab in the order of the page, and its focus is seen."""
    with Page() as page:
        opened(page, port)
        page.wait("the circuits", f"{CIRCUITS} >= 6")
        reached = []
        for _ in range(40):
            page.tab()
            focus = page.evaluate("""(() => {
              const one = document.activeElement;
              if (!one || one === document.body) return null;
              const seen = one.type === 'radio' ? one.nextElementSibling : one;
              const style = getComputedStyle(seen);
              return [one.className || one.name || one.tagName, one.closest('li')?.textContent ?? one.textContent,
                style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2];
            })()""")
            if focus is None:
                break
            reached.append(focus)
        unseen = [name for name, _, is_seen in reached if not is_seen]
        expect(unseen == [], f"no visible focus: {unseen}")
        words = " ".join(f"{name} {text}" for name, text, _ in reached)
        for part in ["Skip", "range", "As a table", "HVAC", "Kitchen", "Unmonitored", "Read", "Pause", "API"]:
            expect(part in words, f"{part} is not reached with Tab: {words}")
        page.evaluate("document.querySelector('input[value=day]').focus()")
        page.press("ArrowLeft", 37)
        expect(page.evaluate("document.querySelector('input[name=range]:checked').value") == "hour", "arrows choose")
        page.evaluate("document.querySelector('#circuits button').focus()")
        name = page.evaluate("document.activeElement.querySelector('.name').textContent")
        page.enter()
        expect(page.text("#history-title") == name, f"Enter shows {name}: {page.text('#history-title')}")
        expect(page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true", "it says that it is chosen")
        page.escape()
        expect(page.text("#history-title") == "Power over time", "Escape goes back")
        bare = page.evaluate("""[...document.querySelectorAll('section, nav, fieldset, canvas, input')].filter((one) =>
          !one.ariaLabel && !one.getAttribute('aria-labelledby') && !one.querySelector('legend') && !one.labels?.length)
          .map((one) => one.outerHTML.slice(0, 80))""")
        expect(bare == [], f"without a name for a screen reader: {bare}")
        quiet(page)


def check_token(port: str, token: str) -> None:
    """Asks for the token, says when it is wrong, and keeps it for the next time the page is loaded."""
    with Page() as page:
        url = f"http://127.0.0.1:{port}/"
        page.open(url)
        page.wait("the question", "document.activeElement?.id === 'token'")
        expect(page.evaluate("document.getElementById('house').hidden"), "nothing of the house is shown")
        page.type("not-the-right-token")
        page.enter()
        page.wait("the refusal", "document.getElementById('access-error').textContent !== ''")
        page.type(token)
        page.enter()
        page.wait("the house", LIVE)
        expect(page.evaluate("document.getElementById('access').hidden"), "the question is gone")
        page.open(url)
        page.wait("the house again", LIVE)
        expect(not any(token in address for address in page.requests), "the token stands in an address")
        page.wait("a chart", f"{DRAWN} > 500")
        tab_to(page, "Pause Mock household")
        page.enter()
        answer(page, "mock", "Paused")
        others = [one for one in page.complaints if "401" not in one]
        expect(others == [], f"the console says: {others}")


def meter(name: str) -> str:
    """The line of a meter."""
    return f"[...document.querySelectorAll('#meters li')].find((one) => one.textContent.includes({json.dumps(name)}))"


def answer(page: Page, name: str, words: str) -> None:
    """What is said beside a meter's buttons."""
    found = f"{meter(name)}.querySelector('[role=status]').textContent"
    page.wait(f"{words!r} beside {name}", f"{found}.includes({json.dumps(words)})")


def tab_to(page: Page, name: str) -> None:
    """With the keyboard alone, from the top of the page to the button of this name."""
    page.evaluate("document.activeElement.blur()")
    page.evaluate("getSelection().collapse(document.body, 0)")
    for _ in range(60):
        page.tab()
        if focused(page) == name:
            return
    raise AssertionError(f"{name} is not reached with Tab; the buttons are {page.names('button')}")


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.textContent.trim()")


def states(port: str) -> dict[str, str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/adapters", timeout=10) as response:
        return {one["instance"]: one["state"] for one in json.load(response)["adapters"]}


def check_asks(port: str, host: str) -> None:
    """A meter is read, paused and resumed with the keyboard alone; what comes of it stands beside the buttons."""
    with Page() as page:
        page.open(f"http://{host}:{port}/")
        page.wait("the page to be live", LIVE)
        page.wait("the buttons", "document.querySelectorAll('#meters button:not([hidden])').length === 4")
        wanted = [f"{verb} Mock household ({name}){rest}" for name in ["mock", "mock@garage"]
                  for verb, rest in [("Read", " now"), ("Pause", "")]]
        buttons = [name for name in page.names("button") if "Mock" in name]
        expect(buttons == wanted, f"the buttons are {buttons}")
        seen = page.evaluate(f"""[...{meter('mock@garage')}.querySelectorAll('button')].map((one) => {{
          const copy = one.cloneNode(true);
          copy.querySelector('.hidden').remove();
          return copy.textContent;
        }})""")
        expect(seen == ["Read now", "Pause"], f"to be seen is {seen}")

        posts = "/api/v1/adapters/mock%40garage/"
        page.hold(f"*{posts}*")
        tab_to(page, "Read Mock household (mock@garage) now")
        page.enter()
        page.wait_for_held()
        busy = f"[...{meter('mock@garage')}.querySelectorAll('button')].map((one) => one.getAttribute('aria-disabled'))"
        expect(page.evaluate(busy) == ["true", "true"], f"while it is under way: {page.evaluate(busy)}")
        page.enter()
        page.let_go()
        answer(page, "mock@garage", "Read at")
        asked = [address for address in page.requests if posts in address]
        expect(len(asked) == 1, f"asked once, it was sent {asked}")
        expect(focused(page) == "Read Mock household (mock@garage) now", f"the focus is on {focused(page)!r}")
        expect(page.evaluate(busy) == ["false", "false"], f"afterwards: {page.evaluate(busy)}")

        pause = f"{meter('mock@garage')}.querySelectorAll('button')[1]"
        told = page.evaluate(f"document.getElementById({pause}.getAttribute('aria-describedby')).textContent")
        expect("Nothing is read or stored while it is paused" in told, f"what a pause means: {told!r}")
        page.tab()
        page.space()
        answer(page, "mock@garage", "Paused: nothing is read or stored until you resume it.")
        expect(states(port) == {"mock": "running", "mock@garage": "paused"}, f"the states are {states(port)}")
        expect(focused(page) == "Resume Mock household (mock@garage)", f"the focus is on {focused(page)!r}")
        expect("no data until it is resumed" in page.evaluate(f"{meter('mock@garage')}.innerText"), "it is not said")
        buttons = [name for name in page.names("button") if "garage" in name]
        expect(buttons == ["Resume Mock household (mock@garage)"], f"while it is paused there are {buttons}")
        page.space()
        answer(page, "mock@garage", "Resumed.")
        expect(states(port)["mock@garage"] == "running", f"the states are {states(port)}")

        # Somebody else pauses it between the key and the service.
        page.hold(f"*{posts}*")
        tab_to(page, "Read Mock household (mock@garage) now")
        page.enter()
        page.wait_for_held()
        urllib.request.urlopen(f"http://127.0.0.1:{port}{posts}pause", data=b"", timeout=10).close()
        end = time.monotonic() + 15
        while states(port)["mock@garage"] != "paused":
            expect(time.monotonic() < end, "it is not paused")
            time.sleep(0.02)
        page.let_go()
        answer(page, "mock@garage", "mock@garage is paused: it cannot be read now.")
        others = [one for one in page.complaints if "409" not in one]
        expect(others == [], f"the console says: {others}")


def check_rejected(port: str, name: str) -> None:
    """Lines that the server refuses are listed with its words once somebody looks, as text, and followed."""
    with Page() as page:
        opened(page, port)
        page.wait("that lines were refused", "!document.getElementById('rejected').hidden")
        asked = lambda: [address for address in page.requests if "/api/v1/delivery" in address]
        expect(asked() == [], f"nobody has looked, and it was asked: {asked()}")
        page.evaluate("document.getElementById('rejected-title').focus()")
        page.enter()
        lines = "[...document.querySelectorAll('#rejected-list li')].map((one) => one.textContent)"
        page.wait("the lines", f"{lines}.length > 0")
        shown = page.evaluate(lines)
        expect(len(shown) <= 10, f"{len(shown)} lines")
        for line in shown:
            expect(name in line and "refused by the test" in line, f"{name!r} and the reason are not in {line!r}")
        expect(page.evaluate("document.querySelectorAll('#rejected-list script').length") == 0, "markup is no element")
        page.wait("more of them", f"{lines}[0] !== {json.dumps(shown[0])}", 30)
        page.wait("how many", r"/refused [0-9,]+ lines?$/.test(document.getElementById('rejected-title').textContent)")
        expect("outbox replay" in page.text("#rejected-note"), page.text("#rejected-note"))
        quiet(page)


# By how much the end of the chart differs from the clock of the house, in seconds.
LAG = "Math.abs(Chart.getChart('plot').scales.x.max / 1000 - {now})"
AGO = r"/last read (now|\d+ sec\. ago)/.test(document.getElementById('meters').innerText)"


def check_clock(port: str, shift: str) -> None:
    """A device whose clock is wrong by some seconds shows the house by the clock of the house."""
    with Page() as page:
        page.set_clock(time.time() + float(shift))
        opened(page, port)
        for choice in ["day", "hour"]:
            page.evaluate(f"document.querySelector('input[value={choice}]').click()")
            page.wait(f"the chart of the {choice}", f"{DRAWN} > 500 && {LAG.format(now=time.time())} < 60")
        page.evaluate("document.getElementById('as-table').open = true")
        page.wait("the table", "document.querySelectorAll('#history-table tbody tr').length > 0")
        page.wait("when the meter was read", AGO)
        page.wait("the day", "/^[0-9]/.test(document.querySelector('#today dd span').textContent)")
        part = page.text("#today-note")
        expect("of the day" in part or part == "", f"the note of the day is {part!r}")
        quiet(page)


def check_clock_set(port: str, shift: str) -> None:
    """The clock of the house is set (by its caller) while the page is open, and the page follows."""
    with Page() as page:
        opened(page, port)
        page.wait("a chart", f"{DRAWN} > 500")
        print("LIVE", flush=True)
        page.wait("the chart of the new time", f"{LAG.format(now=time.time() + float(shift))} < 60", 30)
        page.wait("when the meter was read", AGO)


def check_marks(port: str, *marks: str) -> None:
    """The readings of the house carry these marks."""
    with Page() as page:
        opened(page, port)
        wanted = json.dumps(sorted(marks))
        page.wait(f"the marks {wanted}", "JSON.stringify([...document.querySelectorAll('#marks .mark')]"
                  f".map((one) => one.textContent).sort()) === JSON.stringify({wanted})")
        quiet(page)


def check_problems(port: str, *words: str) -> None:
    """What is wrong is said with what to do about it."""
    with Page() as page:
        opened(page, port)
        for word in words:
            page.wait(f"{word!r} among the problems",
                      f"document.getElementById('problems').innerText.includes({json.dumps(word)})")
        expect("What to do:" in page.text("#problems"), page.text("#problems"))
        quiet(page)


# Parts of the page before answers that the test makes up.
PARTS = """(async () => {
  const wrong = [];
  const same = (what, is, wanted) => {
    if (JSON.stringify(is) !== JSON.stringify(wanted)) wrong.push(`${what}: ${JSON.stringify(is)}`);
  };
  const answer = (object) => new Response(JSON.stringify(object));
  const { Alerts } = await import("/assets/dashboard/service.js");
  const { Today } = await import("/assets/dashboard/now.js");
  const { Events } = await import("/assets/dashboard/server.js");

  const alert = (id, state, hour) => ({ id, state, kind: "no_data", peak_w: null, detail: id, ended_at: state === "ended"
    ? `2026-06-14T${hour}:30:00.000Z` : null, started_at: `2026-06-14T${hour}:00:00.000Z` });
  const ended = ["11", "12", "13", "14", "15"].map((hour) => alert(`e${hour}`, "ended", hour));
  const alerts = new Alerts();
  window.fetch = async (url) => {
    // Told while the list is on its way, as it was before.
    if (!url.includes("state=raised")) alerts.follow(alert("e11", "raised", "11"));
    return answer({ alerts: url.includes("state=raised") ? [alert("old", "raised", "01")] : ended });
  };
  await alerts.refresh();
  same("raised alerts", [...alerts.known.values()].filter((one) => one.state === "raised").map((one) => one.id).sort(),
    ["e11", "old"]);
  const shown = document.getElementById("alerts");
  same("alerts shown", [...shown.children].map((one) => one.className), ["raised", "raised", "ended", "ended", "ended"]);

  const today = new Today();
  const moment = new Date();
  today.follow({ daily_kwh: 20.3, timestamp: moment.toISOString(), total_is: "consumption" });
  const period = { start: new Date(moment - 3600000).toISOString(), end: new Date(+moment + 3600000).toISOString(),
    coverage: 1, consumption_kwh: 20.1, import_kwh: null, export_kwh: null, production_kwh: null, cost: null };
  window.fetch = async () => answer({ periods: [period], currency: "EUR" });
  await today.refresh();
  clearTimeout(today.timer);
  same("the day's consumption", today.tiles.get("consumption").value.textContent, "20.3");

  const name = "a\\u2028b\\u2029c";
  const events = [];
  const stream = new Events({ live() {}, lost() {}, refused() {}, event: (type, data) => events.push([type, data]) });
  const connection = new AbortController();
  stream.connection = connection;
  await stream.follow(new Response(`event: snapshot\\ndata: {"name": "${name}"}\\n\\n`).body, connection);
  clearTimeout(stream.silence);
  same("an event with a name of several lines", events, [["snapshot", { name }]]);
  return wrong;
})()"""


def check_parts(port: str) -> None:
    """What is live is not overwritten by what was fetched before, and a name is no end of a line."""
    with Page() as page:
        opened(page, port)
        expect(page.evaluate(PARTS) == [], "as it should be")


def check_no_chart(port: str) -> None:
    """Without Chart.js it says so, and has the table."""
    with Page() as page:
        page.send("Network.setBlockedURLs", urls=["*/assets/chart.js"])
        opened(page, port)
        page.wait("the note", "document.getElementById('plot-note').textContent.includes('libjs-chart.js')")
        page.evaluate("document.getElementById('as-table').open = true")
        page.wait("the table", "document.querySelectorAll('#history-table tbody tr').length > 0")
        others = [one for one in page.complaints if "ERR_BLOCKED_BY_CLIENT" not in one]
        expect(others == [], f"the console says: {others}")


if __name__ == "__main__":
    globals()[f"check_{sys.argv[1]}"](*sys.argv[2:])
    print("DONE")
