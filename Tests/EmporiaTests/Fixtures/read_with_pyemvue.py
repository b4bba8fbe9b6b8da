"""Logs in with pycognito and reads with PyEmVue at a simulated Emporia; prints what they say as JSON.

Usage: read_with_pyemvue.py URL INSTANT START END, with EMAIL and PASSWORD in the environment; times in ISO 8601.
"""

import datetime
import json
import os
import sys

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from pycognito.aws_srp import AWSSRP
from pyemvue import PyEmVue
from pyemvue.enums import Scale, Unit


def login(url: str) -> dict:
    client = boto3.client(
        "cognito-idp", endpoint_url=url, region_name="us-east-2", config=Config(signature_version=UNSIGNED))
    tokens = AWSSRP(
        os.environ["EMAIL"], os.environ["PASSWORD"], "us-east-2_ghlOXVLi1", "4qte47jbstod8apnfic0bunmrq",
        client=client).authenticate_user()
    return tokens["AuthenticationResult"]


def usage(vue: PyEmVue, gids: list, instant: datetime.datetime, scale: str) -> dict:
    figures = {}

    def take(devices: dict) -> None:
        for gid, device in devices.items():
            for number, channel in device.channels.items():
                figures[f"{gid}-{number}"] = channel.usage
                take(channel.nested_devices)

    take(vue.get_device_list_usage(gids, instant, scale, Unit.KWH.value, max_retry_attempts=1))
    return figures


def main() -> None:
    url = sys.argv[1]
    instant, start, end = (datetime.datetime.fromisoformat(time.replace("Z", "+00:00")) for time in sys.argv[2:])
    tokens = login(url)
    vue = PyEmVue()
    vue.login_simulator(url)
    devices = vue.get_devices()
    # PyEmVue has the clamps of a device as one more device: figures come under the one that holds them.
    names = {
        f"{device.device_gid - 1 if device.model == 'WAT001' else device.device_gid}-{channel.channel_num}":
            channel.name or device.device_name
        for device in devices for channel in device.channels}
    gids = [str(device.device_gid) for device in devices if device.model != "WAT001"]
    charts = {}
    for device in devices:
        for channel in device.channels:
            if device.model == "WAT001":
                channel.device_gid = device.device_gid - 1
            usages, first = vue.get_chart_usage(channel, start, end, Scale.MINUTE.value, Unit.KWH.value)
            charts[f"{channel.device_gid}-{channel.channel_num}"] = {"first": first.isoformat(), "usages": usages}
    print(json.dumps({
        "tokens": sorted(tokens), "names": names,
        "minute": usage(vue, gids, instant, Scale.MINUTE.value), "day": usage(vue, gids, instant, Scale.DAY.value),
        "charts": charts}))


main()
