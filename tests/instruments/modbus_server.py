"""Modbus slaves that somebody else wrote: pymodbus' server, RTU frames over TCP, as a process of its own.

Prints its port; ends when standard input closes. It answers with exception 4 for slaves that are not there, where a bus
is silent: that case is tested elsewhere.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

EMPTY = [SimData(address=9000, values=0, datatype=DataType.REGISTERS)]


async def failing(
    function: int, start: int, address: int, count: int, current: list[int], new: list[int] | list[bool] | None
) -> ExcCodes:
    return ExcCodes.DEVICE_FAILURE


def devices() -> list[SimDevice]:
    coils = [SimData(address=0, values=[False] * 16, datatype=DataType.BITS)]
    inputs = [
        SimData(address=2, values=1.25, datatype=DataType.FLOAT32),
        SimData(address=4, values=-123456, datatype=DataType.INT32),
        SimData(address=6, values=[235, 65486], datatype=DataType.REGISTERS),
        SimData(address=8, values=2.5e-3, datatype=DataType.FLOAT64),
    ]
    holding = [
        SimData(address=100, values=4711, datatype=DataType.UINT32),
        SimData(address=200, values="LEO5-77X", datatype=DataType.STRING),
    ]
    blocks = (coils, [SimData(address=0, values=[False] * 16, datatype=DataType.BITS)])
    return [
        SimDevice(id=1, simdata=(*blocks, holding, inputs)),
        SimDevice(id=4, simdata=EMPTY, action=failing),
    ]


async def main() -> None:
    server = ModbusTcpServer(devices(), framer=FramerType.RTU, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    listening: Any = server.transport  # an asyncio.Server, which pymodbus declares as a transport
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(main())
