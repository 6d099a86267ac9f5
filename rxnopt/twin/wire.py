"""The cable between clients and the server of a twin: it can be cut, or hold everything back."""

from __future__ import annotations

import asyncio
import contextlib


class Wire:
    """A proxy on 127.0.0.1. Its port stays the same while the server behind it comes and goes."""

    def __init__(self) -> None:
        self.port, self.target = 0, 0
        """Where clients connect, and the port of the server; 0 while that is down."""
        self._listener: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._clients = 0

    async def listen(self, port: int) -> None:
        """Open ``port``, a free one if 0."""
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._clients += 1
        try:
            if not self.target:
                return
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(inner_writer)
            ways = [asyncio.create_task(self._pump(*way)) for way in ((reader, inner_writer), (inner_reader, writer))]
            self._tasks.update(ways)
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            self._tasks.difference_update(ways)
            self._drop(inner_writer)
        except OSError:
            pass  # the server has just gone: the client is told by the end of its connection
        finally:
            self._clients -= 1
            self._drop(writer)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # either side has gone
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()

    @property
    def clients(self) -> int:
        """How many connections of clients are open."""
        return self._clients

    @property
    def flows(self) -> bool:
        """Whether anything passes."""
        return self._flows.is_set()

    def cut(self) -> None:
        """End all connections at once; new ones are possible."""
        for writer in tuple(self._writers):
            self._drop(writer)

    def hold(self, seconds: float) -> None:
        """Let nothing pass for some real seconds, in connections that stay open and in new ones."""
        self._flows.clear()
        asyncio.get_running_loop().call_later(seconds, self._flows.set)

    async def close(self) -> None:
        """Stop listening and end all connections."""
        if self._listener is not None:
            self._listener.close()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
