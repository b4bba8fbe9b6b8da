"""Reads Sense's cloud with its public client library; prints what it says as JSON.

Usage: read_with_sense_energy.py API_URL EMAIL PASSWORD [ONE_TIME_CODE]
"""

import asyncio
import json
import sys

import aiohttp
from sense_energy import ASyncSenseable, SenseMFARequiredException, asyncsenseable, sense_api


async def read(url: str, email: str, password: str, code: str | None) -> dict:
    sense_api.API_URL = url
    asyncsenseable.API_URL = url
    async with aiohttp.ClientSession() as session:
        sense = ASyncSenseable(client_session=session)
        try:
            await sense.authenticate(email, password)
        except SenseMFARequiredException:
            await sense.validate_mfa(code)
        # The overview's list, before anything is on.
        listed = {device.id: device.name for device in sense.devices}
        await sense.update_realtime()
        await sense.update_trend_data()
        return {
            "listed": listed,
            "power": sense.active_power,
            "solar": sense.active_solar_power,
            "voltage": sense.active_voltage,
            "frequency": sense.active_frequency,
            "devices": {device.id: device.power_w for device in sense.devices},
            "today": sense.daily_usage,
            "today_production": sense.daily_production,
            "today_from_grid": sense.daily_from_grid or 0,
            "today_to_grid": sense.daily_to_grid or 0,
            "today_devices": {device.id: device.energy_kwh[sense_api.Scale.DAY] for device in sense.devices},
        }


words = sys.argv[1:] + [None]
print(json.dumps(asyncio.run(read(*words[:4]))))
