"""Starts Home Assistant on a new configuration, makes a user and a long-lived token, and stops it again.

Usage: warm_home_assistant.py VENV CONFIGURATION. The token is left in CONFIGURATION/token.
"""

import asyncio
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import aiohttp

CONFIGURATION = """\
homeassistant:
  name: Test
  latitude: 52.5
  longitude: 13.4
  elevation: 30
  unit_system: metric
  time_zone: UTC
  currency: EUR
  country: DE
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
websocket_api:
recorder:
history:
energy:
input_number:
template: []
"""
CLIENT = "http://127.0.0.1/"
READY_WITHIN_SECONDS = 600


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def wait_until(what: str, process: subprocess.Popen, condition) -> None:
    end = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"Home Assistant ended with {process.returncode}")
        try:
            if await condition():
                return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.02)
    raise SystemExit(f"Home Assistant: waited in vain: {what}")


async def make_token(session: aiohttp.ClientSession, url: str, process: subprocess.Popen) -> str:
    user = {"client_id": CLIENT, "name": "Test", "username": "test", "password": "test-only", "language": "en"}
    async with session.post(f"{url}/api/onboarding/users", json=user) as answer:
        answer.raise_for_status()
        code = (await answer.json())["auth_code"]
    form = {"client_id": CLIENT, "grant_type": "authorization_code", "code": code}
    async with session.post(f"{url}/auth/token", data=form) as answer:
        answer.raise_for_status()
        access = (await answer.json())["access_token"]

    async def is_running() -> bool:
        async with session.get(f"{url}/api/config", headers={"Authorization": f"Bearer {access}"}) as answer:
            return answer.status == 200 and (await answer.json())["state"] == "RUNNING"

    # A Home Assistant that is stopped while it starts forgets what it was told.
    await wait_until("the end of the start", process, is_running)
    async with session.ws_connect(f"{url}/api/websocket") as socket_:
        await socket_.receive_json()
        await socket_.send_json({"type": "auth", "access_token": access})
        await socket_.receive_json()
        request = {"id": 1, "type": "auth/long_lived_access_token", "client_name": "tests", "lifespan": 3650}
        await socket_.send_json(request)
        return (await socket_.receive_json())["result"]


async def warm(venv: pathlib.Path, folder: pathlib.Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    folder.mkdir(parents=True)
    (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=port))
    environment = {**os.environ, "PATH": f"{venv}/bin:{os.environ['PATH']}", "HOME": str(folder)}
    with open(folder / "first-start.log", "wb") as log:
        process = subprocess.Popen(
            [venv / "bin" / "hass", "--config", folder], env=environment, stdout=log, stderr=log)
        try:
            async with aiohttp.ClientSession() as session:
                async def is_listening() -> bool:
                    async with session.get(f"{url}/api/onboarding") as answer:
                        return answer.status == 200

                await wait_until("an answer", process, is_listening)
                token = await make_token(session, url, process)
        finally:
            process.terminate()
            process.wait()
    if "long_lived_access_token" not in (folder / ".storage" / "auth").read_text():
        raise SystemExit("Home Assistant did not keep the token")
    for leftover in folder.glob("home-assistant*"):
        leftover.unlink()
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    # Last: it says that the rest is complete.
    (folder / "token").write_text(token)


if __name__ == "__main__":
    asyncio.run(warm(pathlib.Path(sys.argv[1]).absolute(), pathlib.Path(sys.argv[2]).absolute()))
