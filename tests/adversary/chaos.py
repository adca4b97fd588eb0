"""A proxy that hands bytes on as a bad network may: in pieces of one byte, held back and put together,
late, cut off by a reset, or no more at all while the connection stays open."""
import asyncio
import random
import socket
import struct
import threading

PIECE = 65536
MOODS = ("calm", "bytes", "pieces", "held", "late", "reset", "deaf", "mute")
# deaf: stops reading from one side. mute: goes on reading, hands nothing on.


class Leg:
    """How one connection is treated; from a seed, so that it can be repeated."""

    def __init__(self, chosen, moods):
        self.mood = chosen.choice(moods)
        self.chosen = chosen
        self.left = chosen.choice([chosen.randrange(1, 400), chosen.randrange(1, 4000),
                                   chosen.randrange(1, 60000)])
        self.side = chosen.randrange(2)

    def pieces(self, data):
        if self.mood == "bytes":
            return [data[i:i + 1] for i in range(len(data))]
        if self.mood == "pieces":
            out = []
            while data:
                size = self.chosen.randrange(1, 40)
                out.append(data[:size])
                data = data[size:]
            return out
        return [data]


class Chaos:
    """start() in a thread of its own; `port` to connect to; connections go to `upstream`. calm() and stop()
    end what is open."""

    def __init__(self, upstream, seed, moods=MOODS):
        self.upstream, self.seed, self.moods = upstream, seed, moods
        self.count, self.seen = 0, dict.fromkeys(MOODS, 0)
        self.open = set()
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        self.ready.wait()
        return self

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", 0, limit=PIECE))
        self.port = self.server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()

    def stop(self):
        """All connections are cut."""
        async def ending():
            self.server.close()
            for task in list(self.open):
                task.cancel()
            await asyncio.gather(*self.open, return_exceptions=True)
        asyncio.run_coroutine_threadsafe(ending(), self.loop).result(20)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _accept(self, reader, writer):
        task = asyncio.current_task()
        self.open.add(task)
        self.count += 1
        leg = Leg(random.Random(self.seed * 1_000_003 + self.count), self.moods)
        self.seen[leg.mood] += 1
        other, both = None, []
        try:
            up_reader, other = await asyncio.open_connection("127.0.0.1", self.upstream, limit=PIECE)
            for one in (writer, other):
                one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            both = [asyncio.ensure_future(self._hand_on(reader, other, leg, 0)),
                    asyncio.ensure_future(self._hand_on(up_reader, writer, leg, 1))]
            done, rest = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.exception()
            if rest and leg.mood != "reset":  # what is under way the other way still arrives
                await asyncio.wait(rest, timeout=0.2)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            for one in (writer, other):
                if one is not None:
                    if leg.mood == "reset":
                        self._reset(one)
                    one.close()
            self.open.discard(task)

    async def _pause(self, seconds):
        done = self.loop.create_future()
        self.loop.call_later(seconds, lambda: done.done() or done.set_result(None))
        await done

    @staticmethod
    def _reset(writer):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                   struct.pack("ii", 1, 0))

    async def _hand_on(self, reader, writer, leg, side):
        held = b""
        while True:
            try:
                data = await asyncio.wait_for(reader.read(PIECE), 0.003 if held else None)
            except asyncio.TimeoutError:
                writer.write(held)
                await writer.drain()
                held = b""
                continue
            if not data:
                writer.write(held)
                if writer.can_write_eof():
                    writer.write_eof()
                return
            if leg.mood == "held":
                held += data
                continue
            if leg.mood == "late":
                await self._pause(leg.chosen.random() * 0.02)
            if leg.mood in ("reset", "deaf", "mute") and side == leg.side:
                leg.left -= len(data)
                if leg.left < 0:
                    writer.write(data[:leg.left])
                    await writer.drain()
                    if leg.mood == "reset":
                        return
                    while leg.mood == "deaf" or await reader.read(PIECE):
                        if leg.mood == "deaf":
                            await self._pause(3600)
                    return
            for piece in leg.pieces(data):
                writer.write(piece)
                await writer.drain()
                if leg.mood == "bytes":
                    await self._pause(0)  # or the event loop would put them together
