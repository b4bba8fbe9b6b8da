"""Reads an IoTaWatt with its public client library; prints what its sensors say as JSON.

Usage: read_with_iotawattpy.py HOST:PORT [USER PASSWORD]
"""

import asyncio
import json
import sys

import httpx
from iotawattpy.iotawatt import Iotawatt


async def read(address: str, credentials: list[str]) -> dict:
    async with httpx.AsyncClient() as session:
        device = Iotawatt("device", address, session, *credentials)
        await device.update()
        return {
            entity: {"name": sensor.getName(), "unit": sensor.getUnit(), "value": sensor.getValue()}
            for entity, sensor in device.getSensors()["sensors"].items()
        }


print(json.dumps(asyncio.run(read(sys.argv[1], sys.argv[2:]))))
