"""The machine's own limits, measured in the same run as what is compared with them."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from multiprocessing.synchronize import Event

import asyncpg
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from . import load

PORT = 8_899


def _answer(ready: Event) -> None:
    async def serve() -> None:
        async def hello(_: web.Request) -> web.Response:
            return web.Response(body=b"hello")

        app = web.Application()
        app.router.add_get("/", hello)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", PORT).start()
        ready.set()
        await asyncio.sleep(60)

    asyncio.run(serve())


def bare_aiohttp(requests: int = 20_000, *, concurrency: int = 32) -> load.Result:
    """One aiohttp process that answers `hello`: the most that any one worker can do."""
    ready = multiprocessing.Event()
    process = multiprocessing.Process(target=_answer, args=(ready,), daemon=True)
    process.start()
    try:
        ready.wait(10)
        request = load.get("/", f"127.0.0.1:{PORT}")
        return asyncio.run(load.run("127.0.0.1", PORT, [request] * requests, concurrency=concurrency))
    finally:
        process.kill()
        process.join()


async def bare_insert(url: str, rows: int = 4_000, *, connections: int = 8) -> float:
    """Rows a second, each its own committed INSERT of a post's size, over several connections."""
    pool = await asyncpg.create_pool(url, min_size=connections, max_size=connections)
    async with pool:
        await pool.execute("create temp table if not exists nothing (x int)")
        await pool.execute("drop table if exists bench_insert")
        await pool.execute(
            "create table bench_insert (id bigint primary key, words text, at timestamptz default now())"
        )
        numbers = iter(range(rows))

        async def client() -> None:
            async with pool.acquire() as conn:
                for n in numbers:
                    await conn.execute("insert into bench_insert (id, words) values ($1, $2)", n, "字" * 140)

        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(connections)))
        taken = time.perf_counter() - started
        await pool.execute("drop table bench_insert")
    return rows / taken


def bare_verify(times: int = 5_000) -> float:
    """RSA-2048 signatures verified a second, on one core."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    words = b"x" * 300
    signature = key.sign(words, padding.PKCS1v15(), hashes.SHA256())
    public = key.public_key()
    started = time.perf_counter()
    for _ in range(times):
        public.verify(signature, words, padding.PKCS1v15(), hashes.SHA256())
    return times / (time.perf_counter() - started)
