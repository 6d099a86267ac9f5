"""A rig behind a protocol: its server, its time, and the faults that concern both."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Protocol

from rxnopt.twin.rig import Rig
from rxnopt.twin.runs import Gone, Run
from rxnopt.twin.scenario import Fault, Phase
from rxnopt.twin.wire import Wire

VENDOR = "rxnopt twin"
"""How a twin calls itself, so that it is not taken for a device that needs approval."""
PERIOD = 0.02
"""Real seconds between two looks at the rig."""


class Skin(Protocol):
    """A protocol server over a desk."""

    async def start(self) -> int:
        """Serve; return the port on 127.0.0.1, 0 where there is none."""
        ...

    async def show(self) -> None:
        """Publish what the rig says now."""
        ...

    async def rebooted(self) -> None:
        """The rig has come up again; nobody is connected."""
        ...

    async def disturb(self, fault: Literal["mute", "out_of_order"]) -> None:
        """Let subscriptions fall silent, or deliver old messages again; nothing where there are none."""
        ...

    async def stop(self) -> None:
        """Stop serving at once."""
        ...


class Desk:
    """Serve a rig as long as the context is open: ``async with Desk(rig, OpcUaSkin) as desk``, then ``desk.port``.

    ``port`` 0 chooses a free one, which stays over reboots.
    """

    def __init__(self, rig: Rig, skin: Callable[[Desk], Skin], port: int = 0) -> None:
        self.rig, self.wire = rig, Wire()
        self._skin, self._wanted = skin(self), port
        self._server = 0
        self._life: asyncio.Task[None] | None = None
        self._restart: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.wire.port

    async def __aenter__(self) -> Desk:
        self._server = self.wire.target = await self._skin.start()
        if self.wire.target:
            await self.wire.listen(self._wanted)
        self._life = asyncio.create_task(self._live())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        tasks = [task for task in (self._life, self._restart) if task is not None]
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await self.wire.close()
        await self._skin.stop()
        for problem in ended:
            if isinstance(problem, Exception) and error is None:
                raise problem

    def button(self) -> None:
        """Let SIGUSR1 reset interlock and emergency stop, as a person at the rig does; in the main thread only."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.rig.reset)

    async def wait(self) -> None:
        """Wait until the twin ends by an error; for the command line."""
        if self._life is not None:
            await self._life

    async def _live(self) -> None:
        while True:
            for phase, _ in self.rig.tick():
                with contextlib.suppress(Gone):
                    await self.happen(phase)
            await self._skin.show()
            await asyncio.sleep(PERIOD)

    async def submit(self, run_id: str, positions: Sequence[Mapping[str, Any]] | None = None) -> Run:
        """Start a run as a client asks for it, with the faults around that.

        Raises :class:`Gone` where no answer can go out, and :class:`rxnopt.twin.runs.Refusal`.
        """
        self.rig.asked(run_id)
        await self.happen("before_accept")
        run = self.rig.start(run_id, positions)
        if self.rig.faults.get("redelivered"):  # something on the way repeats it; its answer is the one that arrives
            run = self.rig.start(run_id, positions)
        await self.happen("after_accept")
        return run

    async def happen(self, phase: Phase) -> None:
        """Let the faults of this phase happen."""
        for fault in self.rig.faults.during(phase):
            await self._do(fault)

    async def _do(self, fault: Fault) -> None:
        match fault.fault:
            case "late":
                await asyncio.sleep(fault.seconds)
            case "blackhole":
                self.wire.hold(fault.seconds)
            case "drop":
                self.wire.cut()
                raise Gone("the connection was cut")
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "reboot":
                self.reboot(fault.memory == "lost", fault.seconds)
                raise Gone("the power has gone")
            case "interlock":
                self.rig.trip("interlock")
            case "estop":
                self.rig.trip("estop")
            case "lost_target":
                self.rig.lose_target()
            case "mute" | "out_of_order":
                await self._skin.disturb(fault.fault)

    def reboot(self, forget: bool, seconds: float = 0.0) -> None:
        """Lose power now; the server is back after some real seconds."""
        self.rig.reboot(forget)
        self._restart = asyncio.create_task(self._again(seconds))

    async def _again(self, seconds: float) -> None:
        self.wire.target = 0
        self.wire.cut()
        await asyncio.sleep(seconds)
        await self._skin.rebooted()
        self.wire.target = self._server
