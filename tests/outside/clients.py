"""Drives one published ClassIn client, unchanged but for the address, against a sandbox's sample world.

Usage: clients.py eeo-py-sdk|eeo|classin BASE_URL

Prints one line per call: what was asked, what the client made of the answer. Ends with status 1 where that is not
what docs/fidelity.md says. Needs the client installed; nothing else beyond the standard library.
"""

import json
import os
import sys
import urllib.parse
import urllib.request

os.environ["NO_PROXY"] = "127.0.0.1,localhost"

SID, SECRET = "2339736", "topsecret"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
UNEXPECTED = []


def sandbox(base_url, path, method="GET"):
    request = urllib.request.Request(base_url + path, method=method)
    with OPENER.open(request) as answer:
        return answer.read()


def set_switch(base_url, name, value):
    query = urllib.parse.urlencode({"name": name, "value": value})
    sandbox(base_url, "/_sandbox/set?" + query, "POST")


def arrived(base_url):
    return len(json.loads(sandbox(base_url, "/_sandbox/journal")))


def account(base_url, contact):
    """What the school's console shows of a living account."""
    listed = json.loads(sandbox(base_url, "/_sandbox/classin/accounts"))
    return next((it for it in listed if it["contact"] == contact and not it["cancelled"]), None)


def members(base_url, course, room=None):
    """Who is in a course, or in one class of it."""
    view = json.loads(sandbox(base_url, "/_sandbox/classin"))[str(course)]
    return view["students"] if room is None else view["classes"][str(room)]


def observe(what, call, expected):
    """Runs one call; `expected` is a value, or a function that judges one."""
    try:
        seen = call()
    except Exception as error:  # What a client raises is part of the observation.
        seen = "raises " + type(error).__name__
    fine = expected(seen) if callable(expected) else seen == expected
    print(("ok   " if fine else "ODD  ") + what + " -> " + str(seen))
    if not fine:
        UNEXPECTED.append(what)


def code(answer):
    return answer["error_info"]["errno"]


def items(answer):
    return [item["errno"] for item in answer["data"]]


def drive_whole_answers(base_url, repeats_refusals):
    """`eeo-py-sdk` and `eeo` hand the whole answer on."""
    from eeo import ClassInAPI

    api = ClassInAPI(SID, SECRET, domain=base_url)
    fresh = api.register("13800000000", "secret123", nickname="A", addToSchoolMember=1)
    uid = fresh["data"]
    observe("register, new", lambda: (code(fresh), uid >= 1001930), (1, True))
    set_switch(base_url, "duplicate_window_s", "0")
    observe(
        "register, existing",
        lambda: (lambda it: (code(it), it["data"] == uid))(api.register("13800000000", "secret123")),
        (135, True),
    )
    observe("register, e-mail", lambda: code(api.register("a@example.org", "secret123")), 1)
    several = [{"telephone": "13800000001", "password": "secret123", "customColumn": "s1"}]
    observe(
        "register_multiple",
        lambda: (lambda it: (items(it), it["data"][0]["customColumn"]))(api.register_multiple(several)),
        ([1], "s1"),
    )
    observe(
        "register_multiple, existing and by e-mail",
        lambda: items(
            api.register_multiple(
                [
                    {"telephone": "13800000001", "password": "secret123"},
                    {"email": "a@example.org", "password": "secret123"},
                    {"email": "b@example.org", "password": "12345"},
                    {"telephone": "008613800000003", "password": "secret123"},
                ]
            )
        ),
        [135, 461, 137, 134],
    )
    observe(
        "register_multiple, eleven",
        lambda: code(api.register_multiple([{"telephone": "13800000001", "password": "secret123"}] * 11)),
        450,
    )
    observe("add_school_student", lambda: code(api.add_school_student("13800000001", "B")), 1)
    observe("its name in the school's list", lambda: account(base_url, "13800000001")["school_name"], "B")
    observe("add_school_student, nobody", lambda: code(api.add_school_student("13800000009", "B")), 113)
    observe("add_school_student, again", lambda: code(api.add_school_student("13800000001", "B")), 133)
    observe("edit_school_student", lambda: code(api.edit_school_student(uid, "C" * 25)), 1)
    observe("the name in the school's list", lambda: account(base_url, "13800000000")["school_name"], "C" * 24)
    students = [{"uid": 1001001, "customColumn": "s1"}, {"uid": str(uid), "customColumn": "s2"}, {"uid": 5}]
    observe(
        "add_class_student_multiple",
        lambda: items(api.add_class_student_multiple(523689, 1419691, students)),
        [1, 1, 400],
    )
    observe("its members", lambda: members(base_url, 523689, 1419691), [1001001, uid])
    observe(
        "add_class_student_multiple, again",
        lambda: items(api.add_class_student_multiple(523689, 1419691, students)),
        [166, 166, 400],
    )
    observe(
        "del_class_student_multiple",
        lambda: items(api.del_class_student_multiple(523689, 1419691, [1001001, uid, 5])),
        [1, 1, 400],
    )
    observe(
        "del_class_student_multiple, again",
        lambda: items(api.del_class_student_multiple(523689, 1419691, [1001001, uid])),
        [167, 167],
    )
    observe("its members", lambda: members(base_url, 523689, 1419691), [])
    observe(
        "add_course_student_multiple", lambda: items(api.add_course_student_multiple(490583, students)), [1, 1, 400]
    )
    observe("the course's members", lambda: members(base_url, 490583), [1001001, uid])
    observe(
        "add_course_student_multiple, again",
        lambda: items(api.add_course_student_multiple(490583, students[:2])),
        [163, 163],
    )
    observe(
        "del_course_student_multiple",
        lambda: items(api.del_course_student_multiple(490583, [1001001, uid])),
        [1, 1],
    )
    observe(
        "del_course_student_multiple, again",
        lambda: items(api.del_course_student_multiple(490583, [1001001, uid])),
        [162, 162],
    )
    observe("add_course_student", lambda: code(api.add_course_student(490583, 1001002)), 1)
    observe("del_course_student", lambda: code(api.del_course_student(490583, 1001002)), 1)
    observe(
        "add_course_class_student",
        lambda: items(api.add_course_class_student(490583, 1001002, [1395045, 1395044, 1395043])),
        [1, 1, 1],
    )
    observe("unknown class", lambda: code(api.del_class_student_multiple(1, 1, [1])), 144)
    wrong = ClassInAPI(SID, "other", domain=base_url)
    observe("wrong secret", lambda: code(wrong.del_class_student_multiple(1, 1, [1])), 102)
    trouble(base_url, lambda: api.del_class_student_multiple(523689, 1419691, [1001001]), repeats_refusals)


def trouble(base_url, call, repeats_refusals):
    """What the client makes of faults, and how often the call arrives."""
    action = "delClassStudentMultiple"
    for fault, argument in [("lose_answer", ""), ("http_429", ":0"), ("http_5xx", ":503"), ("html_200", "")]:
        before = arrived(base_url)
        set_switch(base_url, fault, action + "@*" + argument)
        repeated = repeats_refusals and fault == "http_429"
        try:
            seen = "returns " + type(call()).__name__
        except Exception as error:
            seen = "raises " + type(error).__name__
        sandbox(base_url, "/_sandbox/clear-faults", "POST")
        times = arrived(base_url) - before
        observe(fault + ": " + seen + ", arrives", lambda: times, 4 if repeated else 1)
    for form in ["errno_901", "http_901", "http_503"]:
        set_switch(base_url, "classin.maintenance", form)
        try:
            seen = json.dumps(call(), ensure_ascii=False)[:60]
        except Exception as error:
            seen = "raises " + type(error).__name__
        set_switch(base_url, "classin.maintenance", "off")
        observe("maintenance " + form, lambda: seen, lambda it: bool(it))


def drive_classin(base_url):
    """`classin` hands on `data` alone and raises for every top code but the integer 1."""
    from classin.client import ClassInClient

    api = ClassInClient(SID, SECRET, api_base_url=base_url + "/")
    uid = api.user.register("13800000000", password="secret123", add_to_school_member=1)
    observe("register, new", lambda: uid >= 1001930, True)
    set_switch(base_url, "duplicate_window_s", "0")
    observe(
        "register, existing",
        lambda: api.user.register("13800000000", password="secret123"),
        "raises ClientException",
    )
    set_switch(base_url, "register_errno_type", "string")
    observe(
        "register, new, errno as the sample shows it",
        lambda: api.user.register("13800000002", password="secret123"),
        "raises ClientException",
    )
    set_switch(base_url, "register_errno_type", "number")
    several = [{"telephone": "13800000001", "password": "secret123", "customColumn": "s1"}]
    observe("register_multiple", lambda: api.user.register_multiple(several)[0]["customColumn"], "s1")
    observe("add_school_student", lambda: api.user.add_school_student("13800000001", "B"), lambda it: it > 0)
    observe("its name in the school's list", lambda: account(base_url, "13800000001")["school_name"], "B")
    students = [{"uid": 1001001, "customColumn": "s1"}, {"uid": uid}, {"uid": 5}]
    room = api.classroom
    codes = lambda data: [item["errno"] for item in data]
    observe(
        "add_class_student_multiple",
        lambda: codes(room.add_class_student_multiple(523689, 1419691, students)),
        [1, 1, 400],
    )
    observe("its members", lambda: members(base_url, 523689, 1419691), [1001001, uid])
    observe(
        "del_class_student_multiple",
        lambda: codes(room.del_class_student_multiple(523689, 1419691, [1001001, uid])),
        [1, 1],
    )
    observe(
        "add_course_student_multiple", lambda: codes(room.add_course_student_multiple(490583, students)), [1, 1, 400]
    )
    observe(
        "del_course_student_multiple", lambda: codes(room.del_course_student_multiple(490583, [1001001, uid])), [1, 1]
    )
    observe(
        "add_course_class_student",
        lambda: codes(room.add_course_class_student(490583, 1001002, [1395045, 1395044])),
        [1, 1],
    )
    observe(
        "unknown class", lambda: room.del_class_student_multiple(1, 1, [1]), "raises ClientException"
    )
    trouble(base_url, lambda: room.del_class_student_multiple(523689, 1419691, [1001001]), False)


def main():
    which, base_url = sys.argv[1], sys.argv[2].rstrip("/")
    if which == "classin":
        drive_classin(base_url)
    else:
        drive_whole_answers(base_url, which == "eeo-py-sdk")
    print(which + ": " + (("not as expected: " + ", ".join(UNEXPECTED)) if UNEXPECTED else "as expected"))
    sys.exit(1 if UNEXPECTED else 0)


main()
