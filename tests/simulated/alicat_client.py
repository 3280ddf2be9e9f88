"""numat's ``alicat`` as a client, in a process of its own: its licence (GPL) keeps it out of ours.

``python alicat_client.py HOST:PORT controller|meter UNIT`` prints what it read and did as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys

from alicat.driver import FlowController, FlowMeter


async def controller(address: str, unit: str) -> dict[str, object]:
    async with FlowController(address, unit) as device:
        before = await device.get()
        await device.set_flow_rate(5.0)
        await asyncio.sleep(1.5)
        flowing = await device.get()
        await device.hold()
        await device.lock()
        locked = await device.is_locked()
        await device.unlock()
        await device.cancel_hold()
        return {
            "before": before,
            "flowing": flowing,
            "locked": locked,
            "firmware": await device.get_firmware(),
            "pid": await device.get_pid(),
        }


async def meter(address: str, unit: str) -> dict[str, object]:
    async with FlowMeter(address, unit) as device:
        before = await device.get()
        await device.set_gas("N2")
        return {"before": before}


if __name__ == "__main__":
    run = controller if sys.argv[2] == "controller" else meter
    print(json.dumps(asyncio.run(run(sys.argv[1], sys.argv[3]))))  # noqa: T201 - for whoever started it
