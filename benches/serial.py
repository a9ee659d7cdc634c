#!/usr/bin/env python3
"""What an admin would write: list all candidates one page after another and compare them with the roster.

    serial.py ROSTER.db BASE_URL

Compares and changes nothing; prints how many differ. Needs `requests`.
"""

import hashlib
import sqlite3
import sys
import time

import requests

LIMIT = 100
CODE = "xxx"


def signed(parameters):
    now = str(int(time.time()))
    token = hashlib.md5((now + CODE).encode()).hexdigest()
    return {**parameters, "code": CODE, "time": now}, {"Authorization": token}


def listed(base_url):
    session = requests.Session()
    url = base_url + "/api/v1/student/getstulist"
    candidates, start, total = {}, 0, 1
    while start < total:
        form, headers = signed({"start": start, "limit": LIMIT})
        answer = session.post(url, data=form, headers=headers, timeout=30)
        answer.raise_for_status()
        page = answer.json()
        total = page["total"]
        for row in page["data"]:
            candidates[row["loginValue"]] = {field["sFid"]: field["value"] for field in row["fields"]}
        start += LIMIT
    return candidates


def differing(roster, candidates):
    connection = sqlite3.connect(roster)
    rows = connection.execute("SELECT login, name, gender, phone FROM students WHERE active = 1")
    count = 0
    for login, name, gender, phone in rows:
        candidate = candidates.pop(login, None)
        wanted = {1: name, 2: gender, 4: phone}
        if candidate is None or any(candidate.get(field, "") != (value or "") for field, value in wanted.items()):
            count += 1
    return count + len(candidates)


if __name__ == "__main__":
    print(differing(sys.argv[1], listed(sys.argv[2])))
