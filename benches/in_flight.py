#!/usr/bin/env python3
"""The same as serial.py with eight requests in flight. Needs `aiohttp`."""

import asyncio
import sys

import aiohttp

from serial import LIMIT, differing, signed

IN_FLIGHT = 8


async def listed(base_url):
    url = base_url + "/api/v1/student/getstulist"
    candidates, places = {}, asyncio.Semaphore(IN_FLIGHT)

    async def page(session, start):
        form, headers = signed({"start": start, "limit": LIMIT})
        async with places, session.post(url, data=form, headers=headers) as answer:
            answer.raise_for_status()
            body = await answer.json()
        for row in body["data"]:
            candidates[row["loginValue"]] = {field["sFid"]: field["value"] for field in row["fields"]}
        return body["total"]

    async with aiohttp.ClientSession() as session:
        total = await page(session, 0)
        await asyncio.gather(*(page(session, start) for start in range(LIMIT, total, LIMIT)))
    return candidates


if __name__ == "__main__":
    print(differing(sys.argv[1], asyncio.run(listed(sys.argv[2]))))
